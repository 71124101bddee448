import type { Rule } from '../../../core/rule.js';
import { type LedgerRule, inUnits, ledgerFinding } from '../drift/ledgers.js';
import { count } from '../drift/names.js';

const rule: Rule = {
  name: 'migration-missing',
  check: 'drift',
  level: 'error',
  summary:
    'A migration was run for which there is no file: nobody can tell what it did, and no rollout goes on there.',
  explanation:
    'The checkout is older than the fleet, a branch that was rolled out was never merged, or a file was deleted. Homes that are made now lack what that migration made.',
  remedy: 'Bring the file back, or take the migration back on the units that have it.',
  bad: `insert into tenantctl.ledger (unit, id, name, checksum, tool) select unit, 9999, '9999_hotfix', 'x', 'by hand' from tenantctl.ledger where unit like '%:' || current_schema and id = 1;`,
  good: `select name from tenantctl.ledger where unit like '%:' || current_schema order by id;`,
};

export const migrationMissing: LedgerRule = {
  rule,
  look: (ledgers) =>
    inUnits(ledgers, (ledger, files) => ledger.filter(({ id }) => !files.has(id))).map(({ entry, units }) =>
      ledgerFinding(rule, ledgers, units, entry.name, {
        message: `${count(units.length, 'unit')} had migration ${entry.name}, for which there is no file here: no rollout goes on there`,
        hint: 'Update this checkout, check migrations.directory, or bring the file back.',
      }),
    ),
};
