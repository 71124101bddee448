import type { Rule } from '../../../core/rule.js';
import { newestOf } from '../../../engine/ledger/entries.js';
import { type LedgerRule, inUnits, ledgerFinding } from '../drift/ledgers.js';
import { count } from '../drift/names.js';

const rule: Rule = {
  name: 'ledger-gap',
  check: 'drift',
  level: 'warning',
  summary:
    'A migration was left out while later ones were run: it would run after them, on what it does not expect.',
  explanation:
    'A ledger row was removed by hand, or a file with an older number was merged late. `migrate` runs whatever is not recorded, in the order of the numbers, so the old file meets a home that is ahead of it.',
  remedy:
    'Give a file that came late a newer number while no unit has it. Where its objects are there and only the record is gone, record it again.',
  bad: `delete from tenantctl.ledger where unit like '%:' || current_schema and id = 7;`,
  good: `select id from tenantctl.ledger where unit like '%:' || current_schema order by id;`,
};

export const ledgerGap: LedgerRule = {
  rule,
  look: (ledgers) =>
    inUnits(ledgers, (ledger, files) => {
      const newest = newestOf(ledger)?.id ?? 0;
      const recorded = new Set(ledger.map(({ id }) => id));
      return [...files.values()].filter(({ id }) => id < newest && !recorded.has(id));
    }).map(({ entry, units }) =>
      ledgerFinding(rule, ledgers, units, entry.name, {
        message: `${count(units.length, 'unit')} went past ${entry.fileName} without it: the next rollout runs it after the later ones`,
        hint: 'Give the file a newer number if nobody has it yet; where its objects are there already, record it again by hand.',
        facts: { file: entry.path },
      }),
    ),
};
