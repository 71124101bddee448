import type { CatalogHome, LocalHome } from './home-rows.js';
import { driverOf } from '../../engine/tiers/registry.js';
import { type DatabaseContext, type DoctorFinding, placeName } from './rule.js';

/** A home that says something else of who its tenant is, or since which move it lives here, than the catalog does. */
export function homesDiffer(context: DatabaseContext, wanted: CatalogHome, home: LocalHome): DoctorFinding[] {
  const { tenant, schema } = wanted;
  const differences = [
    ...differing('key', wanted.key, home.key),
    ...differing('tier', wanted.tier, home.tier),
    ...differing('role', wanted.role, home.role),
    ...differing('unit', ledgerKeyOf(context, wanted), home.unit),
    ...differing('epoch', wanted.epoch, home.epoch),
  ];
  if (differences.length === 0) return [];
  const told = differences.map(({ what, catalog, local }) => `${what} ${local} instead of ${catalog}`);
  return [
    {
      rule: 'home-differs',
      level: 'error',
      where: `${placeName(context)}.${schema}`,
      message: `the home of tenant ${tenant} has ${told.join(', ')}, as the catalog has it`,
      hint:
        home.epoch === wanted.epoch
          ? 'Local state is written by this tool alone: find out who has changed it, and bring the older of the two back from its backup.'
          : `${home.epoch > wanted.epoch ? 'The catalog' : 'This database'} may be an old copy, from before a move. Bring a newer one back from a backup; nothing is moved or deleted meanwhile.`,
      facts: { tenant, schema, differences },
    },
  ];
}

interface Difference {
  what: string;
  catalog: string | number;
  local: string | number;
}

function differing(what: string, catalog: string | number, local: string | number): Difference[] {
  return catalog === local ? [] : [{ what, catalog, local }];
}

/** The unit's name in the database's own ledger. */
function ledgerKeyOf({ cluster, session }: DatabaseContext, wanted: CatalogHome): string {
  const { tenant, tier, schema, role, unit } = wanted;
  const driver = driverOf(tier);
  const pool = driver.facts.sharesUnit ? unit.slice('pool:'.length) : null;
  return driver.unit(tenant, { tier, cluster, database: session.database, schema, role, pool }).ledgerKey;
}
