import type { ClusterSettings, PlanSettings, PoolSettings } from '../../core/settings.js';
import type { MigrationUnit, UnitVersion } from '../../core/unit.js';
import type { Connection } from '../../pg/connection.js';
import { type Sql, raw, sql } from '../../pg/sql.js';

/** The statement that remembers a cluster by name, as the configuration describes it now. */
export function clusterUpsert(cluster: ClusterSettings): Sql {
  return sql`
    insert into tenantctl_catalog.clusters as known (name, region, labels)
    values (${cluster.name}, ${cluster.region}, ${JSON.stringify(cluster.labels)}::jsonb)
    on conflict (name) do update set region = excluded.region, labels = excluded.labels
     where (known.region, known.labels) is distinct from (excluded.region, excluded.labels)`;
}

/** The statement that remembers a pool; its place never changes. */
export function poolUpsert(cluster: string, pool: PoolSettings): Sql {
  return sql`
    insert into tenantctl_catalog.pools (name, cluster, database, schema)
    values (${pool.name}, ${cluster}, ${pool.database}, ${pool.schema}) on conflict (name) do nothing`;
}

/** The statement that remembers a plan with its limits of now. */
export function planUpsert(plan: PlanSettings): Sql {
  return sql`
    insert into tenantctl_catalog.plans as known (name, tier, limits)
    values (${plan.name}, ${plan.tier}, ${JSON.stringify(plan.limits)}::jsonb)
    on conflict (name) do update set tier = excluded.tier, limits = excluded.limits, changed_at = now()
     where (known.tier, known.limits) is distinct from (excluded.tier, excluded.limits)`;
}

/** Whether the catalog has the plan as the configuration does. */
export async function isPlanKnown(
  connection: Connection,
  { name, tier, limits }: PlanSettings,
): Promise<boolean> {
  const known = await connection.row(sql`
    select from tenantctl_catalog.plans
     where name = ${name} and tier = ${tier} and limits = ${JSON.stringify(limits)}::jsonb`);
  return known !== undefined;
}

/**
 * The statement that remembers a unit and where it is. What is not said of who had made it stays as it is for as long as it
 * stays where it is.
 */
export function unitUpsert(unit: MigrationUnit): Sql {
  const { id, tier, cluster, database, schema, ledgerKey, adopted } = unit;
  return sql`
    insert into tenantctl_catalog.units as known (id, tier, cluster, database, schema, ledger_key, adopted)
    values (${id}, ${tier}, ${cluster}, ${database}, ${schema}, ${ledgerKey}, ${adopted ? JSON.stringify(adopted) : null}::jsonb)
    on conflict (id) do update set cluster = excluded.cluster, database = excluded.database,
      schema = excluded.schema, ledger_key = excluded.ledger_key,
      adopted = coalesce(excluded.adopted, case when (known.cluster, known.database, known.schema) = (excluded.cluster, excluded.database, excluded.schema)
        then known.adopted end)`;
}

/** The version of a unit as seen just now. */
export interface SeenVersion {
  unit: string;
  version: UnitVersion | null;
}

/** The statement that writes the version of one unit: the server plans it in half the time that the one for many takes. */
export function versionUpdate({ unit, version }: SeenVersion): Sql {
  return sql`
    update tenantctl_catalog.units set version_id = ${version?.id ?? null}, version_name = ${version?.name ?? null}, seen_at = now()
     where id = ${unit}`;
}

/** The statement that writes the versions of many units. */
export function versionsUpdate(seen: readonly SeenVersion[]): Sql {
  return sql`
    update tenantctl_catalog.units u set version_id = s.id, version_name = s.name, seen_at = now()
      from unnest(${seen.map(({ unit }) => unit)}::text[], ${seen.map(({ version }) => version?.id ?? null)}::int[],
        ${seen.map(({ version }) => version?.name ?? null)}::text[]) as s (unit, id, name)
     where u.id = s.unit`;
}

/** How many tenants live on a cluster, and in each of its pools. */
export interface Occupancy {
  cluster: string;
  tier: string;
  pool: string | null;
  tenants: number;
}

export async function readOccupancy(connection: Connection): Promise<Occupancy[]> {
  return connection.rows<Occupancy>(
    raw(`
    select cluster, tier, pool, count(*)::int as tenants from tenantctl_catalog.placements
     where until is null group by cluster, tier, pool`),
  );
}

/** The databases of a cluster in which tenants live or have lived. */
export async function knownDatabases(connection: Connection, cluster: string): Promise<string[]> {
  const rows = await connection.rows<{ database: string }>(sql`
    select database from tenantctl_catalog.placements where cluster = ${cluster}
    union select database from tenantctl_catalog.pools where cluster = ${cluster}`);
  return rows.map(({ database }) => database);
}

/** The statement that forgets a unit in which nobody lives any more. A pool stays: it is there without tenants too. */
export function unitForget(unit: string): Sql {
  return sql`
    delete from tenantctl_catalog.units u where u.id = ${unit} and u.tier <> 'pool'
       and not exists (select from tenantctl_catalog.placements p where p.unit = u.id and p.until is null)`;
}
