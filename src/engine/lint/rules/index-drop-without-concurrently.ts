import { partsOf } from '../../ledger/locks/tree.js';
import type { LintRule } from '../rule.js';

export const indexDropWithoutConcurrently: LintRule = {
  name: 'index-drop-without-concurrently',
  check: 'migrations',
  level: 'warning',
  summary: 'DROP INDEX waits for every query of the table, and every new one waits behind it.',
  explanation:
    'It takes ACCESS EXCLUSIVE on the index and its table. That is short once it has it; the wait is what hurts, and rollout.lockTimeout bounds it. The index of a partitioned table cannot be dropped concurrently, and then this may stay.',
  remedy: 'Write DROP INDEX CONCURRENTLY, in a file that begins with `-- tenantctl: no-transaction`.',
  bad: 'drop index invoice_status_idx;',
  good: '-- tenantctl: no-transaction\ndrop index concurrently invoice_status_idx;',
  step: ({ kind, body, at, effects }, { known }) => {
    if (kind !== 'DropStmt' || body['removeType'] !== 'OBJECT_INDEX' || body['concurrent'] === true)
      return [];
    const names = ((body['objects'] ?? []) as unknown[]).map((object) => partsOf(object).join('.'));
    const seen = names
      .filter((name) => effects.some(({ relation }) => relation === name))
      .filter((name) => known.tableOfIndex(name)?.partitioned !== true);
    return seen.map((name) => ({
      at,
      message: `Dropping ${name} takes ACCESS EXCLUSIVE on the index and on its table, which blocks readers and writers.`,
      sql: [`drop index concurrently ${name};`],
    }));
  },
};
