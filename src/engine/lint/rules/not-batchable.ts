import type { LintRule } from '../rule.js';

const DATA = new Set(['UpdateStmt', 'DeleteStmt', 'InsertStmt']);

export const notBatchable: LintRule = {
  name: 'not-batchable',
  check: 'migrations',
  level: 'error',
  final: true,
  summary: 'A batched file holds something else than one UPDATE, DELETE or INSERT.',
  explanation:
    'One statement is repeated until it touches no row; of several none can be. `migrate` does not run it (exit 3).',
  remedy: 'Leave the one statement that touches a limited number of rows in the file, and move the others.',
  bad: '-- tenantctl: batched\nalter table invoice add column note text;',
  good: "-- tenantctl: batched\nupdate invoice set status = 'open' where (tenant_id, id) in (select tenant_id, id from invoice where status is null limit 1000);",
  file: ({ script: { directives, statements, syntaxError } }) => {
    const [only, second] = statements;
    if (!directives.batched || syntaxError !== null) return [];
    if (only !== undefined && second === undefined && DATA.has(only.kind)) return [];
    const odd = statements.find(({ kind }) => !DATA.has(kind)) ?? second;
    return [{ at: odd?.start ?? 0, message: 'A batched migration is one UPDATE, DELETE or INSERT.' }];
  },
};
