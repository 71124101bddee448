import type { LintRule } from '../rule.js';

export const concurrentlyNotAlone: LintRule = {
  name: 'concurrently-not-alone',
  check: 'migrations',
  level: 'warning',
  summary: 'Statements beside a concurrent one lose their transaction: a failure leaves them half done.',
  explanation:
    'In a file without a transaction each statement is committed by itself. Concurrent builds are found again after a crash; others are simply run again and then meet what they have made. Several concurrent statements in one file are no finding.',
  remedy:
    'Leave the concurrent statements alone in their file, and move the others into one with a transaction.',
  bad: `-- tenantctl: no-transaction
alter table invoice add column reference text;
create index concurrently invoice_reference_idx on invoice (tenant_id, reference);`,
  good: `-- 0002_reference.sql
alter table invoice add column reference text;
-- 0003_reference_index.sql
-- tenantctl: no-transaction
create index concurrently invoice_reference_idx on invoice (tenant_id, reference);`,
  file: ({ script: { statements, directives } }) => {
    if (!directives.noTransaction || !statements.some(({ concurrent }) => concurrent)) return [];
    const other = statements.find(({ concurrent, kind }) => !concurrent && kind !== 'VacuumStmt');
    if (other === undefined) return [];
    return [
      {
        at: other.start,
        message:
          'This statement is committed by itself, beside a concurrent one: a failure leaves the file half done.',
      },
    ];
  },
};
