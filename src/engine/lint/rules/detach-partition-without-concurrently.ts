import { type Tree, nameOf } from '../../ledger/locks/tree.js';
import type { LintRule } from '../rule.js';

export const detachPartitionWithoutConcurrently: LintRule = {
  name: 'detach-partition-without-concurrently',
  check: 'migrations',
  level: 'warning',
  summary: 'DETACH PARTITION shuts the whole partitioned table while it waits for its queries to end.',
  explanation:
    'It takes ACCESS EXCLUSIVE on the parent and the partition. That is short once it has them; DETACH … CONCURRENTLY never blocks readers or writers, but cannot run in a transaction, nor where there is a default partition.',
  remedy: 'Write DETACH PARTITION … CONCURRENTLY, in a file that begins with `-- tenantctl: no-transaction`.',
  bad: 'alter table activity detach partition activity_2026;',
  good: '-- tenantctl: no-transaction\nalter table activity detach partition activity_2026 concurrently;',
  step: ({ action, command, table, effects, at }, { known }) => {
    const partition = (command['def'] as { PartitionCmd?: Tree } | undefined)?.PartitionCmd;
    if (action !== 'AT_DetachPartition' || partition?.['concurrent'] === true || effects.length === 0)
      return [];
    if ((known.get(table)?.defaultPartition ?? null) !== null) return [];
    const name = nameOf(partition?.['name']);
    return [
      {
        at,
        message: `Detaching ${name} takes ACCESS EXCLUSIVE on ${table}, which blocks readers and writers.`,
      },
    ];
  },
};
