import type { LintRule } from '../rule.js';

export const concurrentlyInTransaction: LintRule = {
  name: 'concurrently-in-transaction',
  check: 'migrations',
  level: 'error',
  down: true,
  summary: 'CONCURRENTLY cannot run inside a transaction: the file fails in every home that is there.',
  explanation:
    'A file is one transaction unless it says otherwise, and PostgreSQL refuses what builds concurrently there (25001). VACUUM is refused in the same way. REFRESH MATERIALIZED VIEW CONCURRENTLY may run in one.',
  remedy: 'Begin the file with `-- tenantctl: no-transaction`.',
  bad: 'create index concurrently invoice_customer_idx on invoice (tenant_id, customer_id);',
  good: '-- tenantctl: no-transaction\ncreate index concurrently invoice_customer_idx on invoice (tenant_id, customer_id);',
  file: ({ script }) => {
    if (script.directives.noTransaction) return [];
    return script.statements
      .filter(
        ({ concurrent, kind, body }) =>
          concurrent || (kind === 'VacuumStmt' && body['is_vacuumcmd'] === true),
      )
      .map(({ start, kind }) => ({
        at: start,
        message: `${kind === 'VacuumStmt' ? 'VACUUM' : 'CONCURRENTLY'} is refused inside a transaction (25001).`,
      }));
  },
};
