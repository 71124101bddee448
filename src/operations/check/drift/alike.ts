import { rulesOfPool } from '../../../core/pool-rules.js';
import type { FleetSettings } from '../../../core/settings.js';
import { groupBy } from '../../../core/group-by.js';
import type { UnitVersion } from '../../../core/unit.js';
import { digestOf } from '../../../engine/ledger/files.js';
import { type Migration, migrationsFor } from '../../../engine/ledger/migration.js';
import { tenantsIn } from './names.js';
import type { SeenUnit } from './survey.js';

/** Units that look alike. */
export interface Sort {
  fingerprint: string;
  units: SeenUnit[];
  tenants: number;
}

/**
 * Units that should look alike: pools with the same rules, or homes of one tenant each, that had the same files, on one major
 * version of PostgreSQL.
 */
export interface Kind {
  /** `pools`, `schemas`, `databases and schemas` */
  name: string;
  shared: boolean;
  major: number;
  version: UnitVersion | null;
  /** The files that its units should have had. */
  files: readonly Migration[];
  units: SeenUnit[];
  /** The sort with most tenants first. */
  sorts: Sort[];
}

export function kindsOf(
  settings: FleetSettings,
  seen: readonly SeenUnit[],
  migrations: readonly Migration[],
): Kind[] {
  const files = filesUpTo(migrations);
  const alike = groupBy(seen, (one) => {
    const { digest } = files(one);
    const rules = one.unit.shared ? JSON.stringify(rulesOfPool(settings, one.unit)) : '';
    return `${one.unit.shared} ${one.major} ${one.version?.id ?? 0} ${digest} ${rules}`;
  });
  return [...alike.values()]
    .map((units): Kind => {
      const [first] = units as [SeenUnit];
      return {
        name: [...new Set(units.map(({ unit }) => `${unit.tier}s`))].toSorted().join(' and '),
        shared: first.unit.shared,
        major: first.major,
        version: first.version,
        files: files(first).files,
        units,
        sorts: sortsOf(units),
      };
    })
    .toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : versionId(b) - versionId(a)));
}

export const versionId = ({ version }: { version: UnitVersion | null }): number => version?.id ?? 0;

/** The files of a unit's tier up to its version; thousands of units share a few such lists. */
function filesUpTo(migrations: readonly Migration[]) {
  const known = new Map<string, { files: Migration[]; digest: string }>();
  return ({ unit: { tier }, version }: SeenUnit) => {
    const key = `${tier} ${version?.id ?? 0}`;
    const found = known.get(key);
    if (found !== undefined) return found;
    const files = migrationsFor(migrations, tier).filter(({ id }) => id <= (version?.id ?? 0));
    const made = { files, digest: digestOf(files) };
    known.set(key, made);
    return made;
  };
}

function sortsOf(units: readonly SeenUnit[]): Sort[] {
  return [...groupBy(units, ({ fingerprint }) => fingerprint)]
    .map(([fingerprint, alike]) => ({
      fingerprint,
      units: alike,
      tenants: tenantsIn(alike.map(({ unit }) => unit)),
    }))
    .toSorted(
      (a, b) =>
        b.tenants - a.tenants ||
        b.units.length - a.units.length ||
        (a.fingerprint < b.fingerprint ? -1 : a.fingerprint > b.fingerprint ? 1 : 0),
    );
}

/** The sort that more than half of the tenants have; where nobody lives yet, more than half of the units. */
export function majorityOf({ sorts, units }: Kind): Sort | null {
  const [first] = sorts;
  if (first === undefined) return null;
  const tenants = sorts.reduce((sum, sort) => sum + sort.tenants, 0);
  const [part, all] = tenants > 0 ? [first.tenants, tenants] : [first.units.length, units.length];
  return part * 2 > all ? first : null;
}
