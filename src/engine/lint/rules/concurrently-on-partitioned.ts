import { partsOf } from '../../ledger/locks/tree.js';
import type { LintRule } from '../rule.js';

export const concurrentlyOnPartitioned: LintRule = {
  name: 'concurrently-on-partitioned',
  check: 'migrations',
  level: 'error',
  summary:
    'The index of a partitioned table cannot be built or dropped CONCURRENTLY: the file fails in every home.',
  explanation:
    'PostgreSQL refuses it (0A000). The index is created ON ONLY the partitioned table, which is short and leaves it invalid; one is built CONCURRENTLY on each partition and attached; with the last of them the first becomes valid. That a table is partitioned is told from the file that made it.',
  remedy:
    'CREATE INDEX … ON ONLY the table, CREATE INDEX CONCURRENTLY on each partition, ALTER INDEX … ATTACH PARTITION for each.',
  bad: '-- tenantctl: no-transaction\ncreate index concurrently activity_what_idx on activity (tenant_id, what);',
  good: `-- 0002_activity_what.sql
create index activity_what_idx on only activity (tenant_id, what);
-- 0003_activity_2026_what.sql
-- tenantctl: no-transaction
create index concurrently activity_2026_what_idx on activity_2026 (tenant_id, what);
-- 0004_attach_what.sql
alter index activity_what_idx attach partition activity_2026_what_idx;`,
  step: ({ kind, body, table, at }, { known }) => {
    if (body['concurrent'] !== true) return [];
    const message = 'Its table is partitioned: CONCURRENTLY is refused there (0A000).';
    if (kind === 'IndexStmt') return known.get(table)?.partitioned === true ? [{ at, message }] : [];
    if (kind !== 'DropStmt') return [];
    return ((body['objects'] ?? []) as unknown[])
      .filter((object) => known.tableOfIndex(partsOf(object).at(-1) ?? '')?.partitioned === true)
      .map(() => ({ at, message, hint: 'Drop it without CONCURRENTLY, at a quiet time.' }));
  },
};
