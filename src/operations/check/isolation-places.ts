import { groupBy } from '../../core/group-by.js';
import type { Tier } from '../../core/tier.js';
import type { MigrationUnit } from '../../core/unit.js';
import { listUnits } from '../../engine/catalog/units.js';
import type { Fleet } from '../../engine/context.js';
import type { OwnHome } from '../../engine/isolation/catalog-rule.js';
import { driverOf } from '../../engine/tiers/registry.js';
import { raw } from '../../pg/sql.js';

/** A database of the fleet, and who lives in it. */
export interface DatabasePlace {
  cluster: string;
  database: string;
  units: readonly MigrationUnit[];
  homes: readonly OwnHome[];
  /** Is it one tenant's own? */
  dedicated: boolean;
}

/** Every database in which the catalog knows a unit, and the homes on each cluster. */
export async function readPlaces(
  fleet: Fleet,
): Promise<{ databases: DatabasePlace[]; homes: Map<string, OwnHome[]> }> {
  const units = await fleet.catalog((catalog) => listUnits(catalog, []));
  const homes = await readHomes(fleet);
  const databases = [...groupBy(units, placeOf).values()].map((there) => {
    const [{ cluster, database } = { cluster: '', database: '' }] = there;
    const inside = (homes.get(cluster) ?? []).filter((home) => home.database === database);
    return {
      cluster,
      database,
      units: there,
      homes: inside,
      dedicated: inside.some((home) => home.dedicated),
    };
  });
  return { databases, homes };
}

function placeOf({ cluster, database }: MigrationUnit): string {
  return `${cluster}/${database}`;
}

interface HomeRow {
  tenant: string;
  tier: Tier;
  cluster: string;
  database: string;
  schema: string;
  role: string;
}

/**
 * Homes that tenants have left are asked as well: until the end of the grace period their rows are in them. A place that a tenant has
 * come back to counts once, with the role of today.
 */
async function readHomes(fleet: Fleet): Promise<Map<string, OwnHome[]>> {
  const rows = await fleet.catalog((catalog) =>
    catalog.rows<HomeRow>(
      raw(`select tenant, tier, cluster, database, schema, role from (
             select distinct on (p.tenant, p.cluster, p.database, p.schema) p.*
               from tenantctl_catalog.placements p join tenantctl_catalog.tenants t on t.id = p.tenant
              where t.status <> 'deleted' and p.pool is null
              order by p.tenant, p.cluster, p.database, p.schema, p.epoch desc) latest
            order by cluster, tenant`),
    ),
  );
  const byCluster = groupBy(rows, ({ cluster }) => cluster);
  return new Map(
    [...byCluster].map(([cluster, there]) => [
      cluster,
      there.map(({ tier, tenant, database, schema, role }) => ({
        tenant,
        database,
        schema,
        role,
        dedicated: driverOf(tier).facts.drops === 'database',
      })),
    ]),
  );
}
