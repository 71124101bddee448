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
import type { Sql } from '../../pg/sql.js';
import type { Taking } from './take-in.js';

/** Tenants that one transaction of the catalog takes in: the head of the audit log is locked meanwhile. */
const TENANTS_A_TRANSACTION = 250;

/** Writes units and their new tenants into the catalog, each tenant whole, with an entry in the audit log. */
export async function writeCatalog(fleet: Fleet, takings: readonly Taking[]): Promise<void> {
  if (takings.length === 0) return;
  await fleet.catalog((connection) => connection.atomically(placesOf(fleet, takings)));
  const tenants = takings.flatMap((taking) => taking.sifted.tenants.map((tenant) => ({ taking, tenant })));
  for (let from = 0; from < tenants.length; from += TENANTS_A_TRANSACTION) {
    const some = tenants.slice(from, from + TENANTS_A_TRANSACTION);
    const statements = some.flatMap(({ taking, tenant }) => tenantStatements(taking, tenant));
    const entries = some.map(({ taking, tenant }) => entryFor(fleet, taking, tenant.id));
    await fleet.catalog((connection) => connection.atomically([...statements, ...entries]));
    fleet.reach('adopt.catalog-written');
  }
}

/** Cluster, pools, plans and units, as the configuration describes them now. */
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
    ...takings.flatMap(({ standing, adoption }) =>
      adoption === null ? [] : [unitUpsert({ ...standing.listed.unit, adopted: adoption })],
    ),
    versionsUpdate(
      takings.map(({ standing }) => ({ unit: standing.listed.unit.id, version: standing.version })),
    ),
  ];
}

function tenantStatements(
  { placement, standing }: Taking,
  { id, key, plan, owner, labels }: Taking['sifted']['tenants'][number],
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
