import type { Rule } from '../../../core/rule.js';
import { type LedgerRule, inUnits, ledgerFinding } from '../drift/ledgers.js';
import { count } from '../drift/names.js';

const rule: Rule = {
  name: 'migration-unfinished',
  check: 'drift',
  level: 'warning',
  summary: 'A migration was begun and not ended: half of it is there.',
  explanation:
    'A migration outside a transaction runs statement by statement. It was interrupted, or failed, and nothing is at work on it now. What it has done stays until somebody goes on.',
  remedy: '`tenantctl migrate` goes on where it stopped; `tenantctl runs explain` tells why it did.',
  bad: `update tenantctl.ledger set state = 'started', steps_done = 1 where unit like '%:' || current_schema and id = 14;`,
  good: `select state from tenantctl.ledger where unit like '%:' || current_schema and id = 14;`,
};

export const migrationUnfinished: LedgerRule = {
  rule,
  look: (all) => {
    const ledgers = { ...all, seen: all.seen.filter(({ busy }) => !busy) };
    return inUnits(ledgers, (ledger) => ledger.filter(({ state }) => state === 'started')).map(
      ({ entry, units }) =>
        ledgerFinding(rule, all, units, entry.name, {
          message: `migration ${entry.name} was begun on ${count(units.length, 'unit')} and not ended: half of it may be there`,
          hint: 'Run `tenantctl migrate`: it goes on where it stopped. `tenantctl runs explain` tells why it did.',
        }),
    );
  },
};
