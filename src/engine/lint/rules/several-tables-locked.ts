import { blockedBy } from '../../../core/lock-mode.js';
import type { LintRule } from '../rule.js';

export const severalTablesLocked: LintRule = {
  name: 'several-tables-locked',
  check: 'migrations',
  level: 'info',
  summary:
    'One transaction shuts several tables that are there: the first stays shut while the next is waited for.',
  explanation:
    'Each lock is short where it is got at once. While one waits for its turn (up to rollout.lockTimeout), the ones before it are held, and two transactions that lock in another order meet in a deadlock; both are tried again. With tables of much traffic it is better to have a file for each.',
  remedy: 'Give each busy table a migration file of its own.',
  bad: `alter table customer add column phone text;
alter table invoice add column phone text;`,
  good: `-- 0002_customer_phone.sql
alter table customer add column phone text;
-- 0003_invoice_phone.sql
alter table invoice add column phone text;`,
  file: ({ script }) => {
    if (script.directives.noTransaction) return [];
    const shut = new Map<string, number>();
    for (const { effects, at } of script.steps) {
      for (const { relation, lock } of effects)
        if (relation !== null && blockedBy(lock) === 'readers and writers' && !shut.has(relation))
          shut.set(relation, at);
    }
    const [names, places] = [[...shut.keys()], [...shut.values()]];
    if (names.length < 2) return [];
    const message = `${names.slice(0, -1).join(', ')} and ${names.at(-1)} are shut to readers and writers in one transaction.`;
    return [{ at: places[1] as number, message }];
  },
};
