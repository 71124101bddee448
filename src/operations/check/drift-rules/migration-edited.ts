import type { Rule } from '../../../core/rule.js';
import type { LedgerEntry } from '../../../engine/ledger/entries.js';
import { type LedgerRule, inUnits, ledgerFinding } from '../drift/ledgers.js';
import { count } from '../drift/names.js';

const rule: Rule = {
  name: 'migration-edited',
  check: 'drift',
  level: 'error',
  summary: 'The file says something else than what was run: no rollout goes on.',
  explanation:
    'Each ledger keeps the checksum of the file as it was. Tenants that had it before the edit and homes that are made after it would differ for ever, so `migrate` refuses the whole fleet until the file is as it was.',
  remedy: 'Put the file back as it was (git knows) and make the change in a new migration.',
  bad: `update tenantctl.ledger set checksum = 'of another text' where unit like '%:' || current_schema and id = 5;`,
  good: `select checksum from tenantctl.ledger where unit like '%:' || current_schema and id = 5;`,
};

/** A file of which no statement has succeeded yet may be corrected where it stands. */
const isUntouched = ({ state, stepsDone }: LedgerEntry): boolean => state === 'started' && stepsDone === 0;

export const migrationEdited: LedgerRule = {
  rule,
  look: (ledgers) =>
    inUnits(ledgers, (ledger, files) =>
      ledger.flatMap((entry) => {
        const file = files.get(entry.id);
        if (file === undefined || isUntouched(entry)) return [];
        if (file.checksum === entry.checksum && file.name === entry.name) return [];
        return [{ ...entry, file }];
      }),
    ).map(({ entry, units }) =>
      ledgerFinding(rule, ledgers, units, entry.name, {
        message: `${entry.file.fileName} ${entry.file.name === entry.name ? 'was edited' : `was ${entry.name}`} after ${count(units.length, 'unit')} had it: no rollout goes on`,
        hint: 'Put the file back as it was and make the change in a new migration.',
        facts: { file: entry.file.path, recorded: entry.checksum, found: entry.file.checksum },
      }),
    ),
};
