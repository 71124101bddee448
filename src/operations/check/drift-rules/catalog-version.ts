import { groupBy } from '../../../core/group-by.js';
import type { Rule } from '../../../core/rule.js';
import type { UnitVersion } from '../../../core/unit.js';
import { isOldHome } from '../../../engine/catalog/holds.js';
import { type LedgerRule, ledgerFinding } from '../drift/ledgers.js';
import { count } from '../drift/names.js';
import type { SeenUnit } from '../drift/survey.js';

const rule: Rule = {
  name: 'catalog-version',
  check: 'drift',
  level: 'warning',
  summary: 'The catalog believes in another version than the unit has: status and plans are told wrong.',
  explanation:
    'The ledger beside the data is the truth; the catalog is an index of it. They differ after a database was restored from a backup, after a ledger was changed by hand, or when a run ended between the two.',
  remedy:
    '`tenantctl migrate` reads every ledger and brings the catalog up to date, even when nothing is pending.',
  bad: `update tenantctl.ledger set rolled_back_at = now() where unit like '%:' || current_schema and id = 14;`,
  good: `select max(id) from tenantctl.ledger where unit like '%:' || current_schema and rolled_back_at is null;`,
};

const nameOf = (version: UnitVersion | null): string => version?.name ?? 'no migration';

/** Units that nobody lives in are in nobody's index. */
const isIndexed = ({ unit }: SeenUnit): boolean =>
  !isOldHome(unit.id) && (unit.shared || unit.tenantCount > 0);

export const catalogVersion: LedgerRule = {
  rule,
  look: (ledgers) => {
    const differing = ledgers.seen.filter(
      (seen) => isIndexed(seen) && (seen.unit.version?.id ?? 0) !== (seen.version?.id ?? 0),
    );
    const alike = groupBy(differing, ({ unit, version }) => `${unit.version?.id} ${version?.id}`);
    return [...alike.values()].map((units) => {
      const { unit, version } = units[0] as SeenUnit;
      const { facts, ...finding } = ledgerFinding(rule, ledgers, units, nameOf(version), {
        message: `the catalog has ${count(units.length, 'unit')} at ${nameOf(unit.version)}, whose ledgers are at ${nameOf(version)}`,
        hint: 'The ledger is right. `tenantctl migrate` brings the catalog up to date, even when nothing is pending.',
      });
      return { ...finding, facts: { ...facts, catalog: unit.version?.name ?? null } };
    });
  },
};
