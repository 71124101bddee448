import { namesOf } from '../../ledger/locks/tree.js';
import type { LintRule } from '../rule.js';

export const truncateTable: LintRule = {
  name: 'truncate-table',
  check: 'migrations',
  level: 'error',
  summary: 'TRUNCATE empties a table that is there; in a pool, for all tenants at once.',
  explanation:
    'It takes ACCESS EXCLUSIVE, asks no policy, and with CASCADE empties every table that refers to this one. In a file of the contract phase it is no finding.',
  remedy: 'Delete what is to go in batches, or say `-- tenantctl: phase=contract`.',
  bad: 'truncate invoice;',
  good: "-- tenantctl: batched\ndelete from invoice where (tenant_id, id) in (select tenant_id, id from invoice where status = 'void' limit 1000);",
  step: ({ kind, body, at, effects }, { script }) => {
    if (kind !== 'TruncateStmt' || script.directives.phase === 'contract' || effects.length === 0) return [];
    return [
      {
        at,
        message: `${namesOf(body['relations']).join(', ')} is emptied for good, under ACCESS EXCLUSIVE.`,
      },
    ];
  },
};
