import { counted } from '../../core/counted.js';
import type { Fleet } from '../../engine/context.js';
import { raw } from '../../pg/sql.js';
import type { DoctorFinding } from './rule.js';

/** Clusters and pools that the catalog places tenants in, and that the configuration does not know, or elsewhere. */
export async function unknownPlaces(fleet: Fleet): Promise<DoctorFinding[]> {
  const { clusters, pools } = await fleet.catalog(async (catalog) => ({
    clusters: await catalog.rows<{ cluster: string; tenants: number }>(
      raw(
        `select cluster, count(*)::int as tenants from tenantctl_catalog.placements where until is null group by 1 order by 1`,
      ),
    ),
    pools: await catalog.rows<Pool>(
      raw(`
      select o.name, o.cluster, o.database, o.schema, count(*)::int as tenants from tenantctl_catalog.pools o
        join tenantctl_catalog.placements p on p.pool = o.name and p.until is null
       group by 1, 2, 3, 4 order by 1`),
    ),
  }));
  const known = fleet.settings.clusters;
  return [
    ...clusters.filter(({ cluster }) => known[cluster] === undefined).map(unknownCluster),
    ...pools.filter(({ cluster }) => known[cluster] !== undefined).flatMap((pool) => elsewhere(fleet, pool)),
  ];
}

interface Pool {
  name: string;
  cluster: string;
  database: string;
  schema: string;
  tenants: number;
}

function unknownCluster({ cluster, tenants }: { cluster: string; tenants: number }): DoctorFinding {
  return {
    rule: 'unknown-cluster',
    level: 'error',
    where: cluster,
    message: `the catalog places ${counted(tenants, 'tenant')} on cluster ${cluster}, which the configuration does not know: nothing there is looked at, migrated or moved`,
    hint: `Give clusters.${cluster}.url in the configuration.`,
    facts: { cluster, tenants },
  };
}

/** A pool that the configuration has dropped is still where the catalog says; one at another place is two things. */
function elsewhere(fleet: Fleet, { name, cluster, database, schema, tenants }: Pool): DoctorFinding[] {
  const configured = fleet.cluster(cluster).pools[name];
  if (configured !== undefined && configured.database === database && configured.schema === schema) return [];
  const says =
    configured === undefined
      ? 'the configuration does not know it'
      : `the configuration says schema ${configured.schema} of database ${configured.database}`;
  return [
    {
      rule: 'pool-elsewhere',
      level: 'error',
      where: `${cluster}, pool ${name}`,
      message: `the catalog knows pool ${name} with ${counted(tenants, 'tenant')} in schema ${schema} of database ${database}, and ${says}`,
      hint: `A pool never changes its place. Write it as it is: clusters.${cluster}.pools.${name}: { database: ${database}, schema: ${schema} }.`,
      facts: { pool: name, cluster, database, schema, tenants },
    },
  ];
}
