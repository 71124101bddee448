import { auditInsert } from '../../engine/catalog/audit.js';
import {
  clusterUpsert,
  planUpsert,
  poolUpsert,
  unitUpsert,
  versionsUpdate,
} from '../../engine/catalog/places.js';
import { statusUpdate, tenantInserts } from '../../engine/catalog/tenants.js';
import type { Fleet } from '../../engine/context.js';
import { sqlstateOf } from '../../pg/errors.js';
import type { Sql } from '../../pg/sql.js';
import type { NewTenant } from './known.js';
import type { Taking } from './take-in.js';

/** Tenants that one transaction of the catalog takes in: the head of the audit log is locked meanwhile. */
const TENANTS_A_TRANSACTION = 250;

/** A new tenant in the unit that it is taken in with. */
export interface TakenTenant {
  taking: Taking;
  tenant: NewTenant;
}

const IS_THERE = '23505';

/**
 * Writes units and their new tenants into the catalog, each tenant whole, with an entry in the audit log.
 * @returns tenants that are not written, because somebody has given their id, key or place away meanwhile
 */
export async function writeCatalog(fleet: Fleet, takings: readonly Taking[]): Promise<TakenTenant[]> {
  if (takings.length === 0) return [];
  await fleet.catalog((connection) => connection.atomically(placesOf(fleet, takings)));
  const tenants = takings.flatMap((taking) => taking.sifted.tenants.map((tenant) => ({ taking, tenant })));
  const rivalled: TakenTenant[] = [];
  for (let from = 0; from < tenants.length; from += TENANTS_A_TRANSACTION) {
    const some = tenants.slice(from, from + TENANTS_A_TRANSACTION);
    rivalled.push(...(await writeTenants(fleet, some)));
    fleet.reach('adopt.catalog-written');
  }
  // A unit of the same name may stand elsewhere now; a pool is the same one.
  const gone = new Set(rivalled.map(({ taking }) => taking));
  const known = takings.filter((taking) => !gone.has(taking) || taking.standing.listed.unit.shared);
  await fleet.catalog((connection) => connection.execute(versionsOf(known)));
  return rivalled;
}

/** In one transaction with their units; where one of them cannot be, each in its own. */
async function writeTenants(fleet: Fleet, tenants: readonly TakenTenant[]): Promise<TakenTenant[]> {
  const statements = [
    ...[...new Set(tenants.map(({ taking }) => taking))].flatMap(unitStatements),
    ...tenants.flatMap(({ taking, tenant }) => tenantStatements(taking, tenant)),
    ...tenants.map(({ taking, tenant }) => entryFor(fleet, taking, tenant.id)),
  ];
  try {
    await fleet.catalog((connection) => connection.atomically(statements));
    return [];
  } catch (error) {
    if (sqlstateOf(error) !== IS_THERE) throw error;
    if (tenants.length === 1) return [...tenants];
    const rivalled: TakenTenant[] = [];
    for (const one of tenants) rivalled.push(...(await writeTenants(fleet, [one])));
    return rivalled;
  }
}

/** Cluster, pools and plans as the configuration describes them now, and the units that get no tenant. */
function placesOf(fleet: Fleet, takings: readonly Taking[]): Sql[] {
  const clusters = new Set(takings.map(({ placement }) => placement.cluster));
  const pools = new Map(takings.map(({ placement }) => [placement.pool, placement.cluster]));
  const plans = new Set(takings.flatMap(({ sifted }) => sifted.tenants.map(({ plan }) => plan)));
  const { settings } = fleet;
  return [
    ...[...clusters].map((name) => clusterUpsert(fleet.cluster(name))),
    ...[...pools].flatMap(([name, cluster]) => {
      const pool = settings.clusters[cluster]?.pools[name ?? ''];
      return pool === undefined ? [] : [poolUpsert(cluster, pool)];
    }),
    ...[...plans].flatMap((name) => {
      const plan = settings.plans[name ?? ''];
      return plan === undefined ? [] : [planUpsert(plan)];
    }),
    ...takings.filter(({ sifted }) => sifted.tenants.length === 0).flatMap(unitStatements),
  ];
}

function unitStatements({ standing, adoption }: Taking): Sql[] {
  return adoption === null ? [] : [unitUpsert({ ...standing.listed.unit, adopted: adoption })];
}

function versionsOf(takings: readonly Taking[]): Sql {
  return versionsUpdate(
    takings.map(({ standing }) => ({ unit: standing.listed.unit.id, version: standing.version })),
  );
}

function tenantStatements(
  { placement, standing }: Taking,
  { id, key, plan, owner, labels }: NewTenant,
): Sql[] {
  const unit = standing.listed.unit.id;
  return [...tenantInserts({ id, key, plan, owner, labels, placement, unit }), statusUpdate(id, 'active')];
}

function entryFor(fleet: Fleet, { placement, standing, adoption }: Taking, tenant: string): Sql {
  const { cluster, database, schema } = placement;
  return auditInsert(fleet.actor, {
    action: 'tenant.adopt',
    tenant,
    unit: standing.listed.unit.id,
    details: {
      cluster,
      database,
      schema,
      from: standing.tool,
      version: standing.version?.name ?? null,
      dualWrite: adoption?.dualWrite ?? false,
    },
  });
}
