import { type Tree, nameOf } from '../../ledger/locks/tree.js';
import type { KnownTable } from '../known-tables.js';
import type { LintRule, Sighting } from '../rule.js';

export const attachPartitionScan: LintRule = {
  name: 'attach-partition-scan',
  check: 'migrations',
  level: 'error',
  summary:
    'ATTACH PARTITION reads the table that it attaches, and the default partition, while nobody can use them.',
  explanation:
    'Both are held under ACCESS EXCLUSIVE while every row is held to the bounds. A valid CHECK with the same bounds spares the look at the table that is attached, and one with the opposite on the default partition the look there. What the CHECK says is not proved here; that there is one is enough. The default partition is a warning: it is meant to be nearly empty.',
  remedy:
    'Add a CHECK with the bounds NOT VALID, VALIDATE it in a later migration, then attach and drop the CHECK.',
  bad: "alter table activity attach partition activity_2025 for values from ('2025-01-01') to ('2026-01-01');",
  good: `-- 0002_bounds.sql
alter table activity_2025 add constraint activity_2025_bounds check (occurred_on >= '2025-01-01' and occurred_on < '2026-01-01') not valid;
-- 0003_validate_bounds.sql
alter table activity_2025 validate constraint activity_2025_bounds;
-- 0004_attach.sql
alter table activity attach partition activity_2025 for values from ('2025-01-01') to ('2026-01-01');
alter table activity_2025 drop constraint activity_2025_bounds;`,
  step: ({ action, body, command, table, effects, at }, { known }) => {
    if (action !== 'AT_AttachPartition' || body['objtype'] === 'OBJECT_INDEX') return [];
    const name = nameOf((command['def'] as { PartitionCmd: Tree }).PartitionCmd['name']);
    const found: Sighting[] = [];
    if (effects.some(({ relation }) => relation === name) && !hasValidCheck(known.get(name)))
      found.push({
        at,
        message: `It takes ACCESS EXCLUSIVE on ${name}, which blocks readers and writers, while every row there is held to the bounds.`,
      });
    const rest = known.get(table)?.defaultPartition ?? null;
    if (rest !== null && rest !== name && !hasValidCheck(known.get(rest)))
      found.push({
        at,
        level: 'warning',
        message: `It takes ACCESS EXCLUSIVE on the default partition ${rest}, which blocks readers and writers, while every row there is looked at.`,
        hint: `Add a CHECK to ${rest} that rules the new bounds out NOT VALID, and VALIDATE it before.`,
      });
    return found;
  },
};

const hasValidCheck = (table: KnownTable | undefined): boolean =>
  table?.checks.some(({ validated }) => validated) === true;
