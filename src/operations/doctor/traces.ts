import type { Connection } from '../../pg/connection.js';
import { ident, raw, sql } from '../../pg/sql.js';
import type { DatabaseContext } from './rule.js';

/** What there is of one deleted tenant in one schema. */
export interface Traces {
  tenant: string;
  key: string;
  deletedAt: string;
  schema: string;
  /** Is it in the local placements? */
  placed: boolean;
  /** Is the schema its own? */
  own: boolean;
  /** Tables that hold rows with its key. */
  tables: string[];
}

interface Tombstone {
  tenant: string;
  key: string;
  deletedAt: string;
}

/** Deleted tenants that are looked for at a time. */
const PAGE = 5_000;

const TOMBSTONE = raw(`
  t.id as tenant, t.key, to_char(t.deleted_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as "deletedAt"`);

/** Databases of this name that were a deleted tenant's own. */
export function deletedDatabases(
  catalog: Connection,
  cluster: string,
  databases: readonly string[],
): Promise<(Tombstone & { database: string })[]> {
  return catalog.rows(sql`
    select distinct ${TOMBSTONE}, p.database from tenantctl_catalog.tenants t
      join tenantctl_catalog.placements p on p.tenant = t.id
     where t.status = 'deleted' and p.tier = 'database' and p.cluster = ${cluster} and p.database = any (${databases}::text[])
       and not exists (select from tenantctl_catalog.placements o where o.until is null and o.cluster = p.cluster and o.database = p.database and o.tenant <> t.id)
     order by 1`);
}

/**
 * Deleted tenants whose home the local state of this database knows. In a database under another name only a key that
 * no other fleet can have tells that it is the same tenant.
 */
export async function placementsOfDeleted({ fleet, session, ours }: DatabaseContext): Promise<Traces[]> {
  const found: Traces[] = [];
  if (!ours && fleet.settings.tenancy.columnType !== 'uuid') return found;
  for (let after = '', full = true; full;) {
    const placed = await session.rows<{ tenant: string; key: string; schema: string }>(sql`
      select tenant, key, schema from tenantctl.placement where tenant > ${after} order by tenant, schema limit ${PAGE}`);
    const ids = placed.map(({ tenant }) => tenant);
    const tombstones = await fleet.catalog((catalog) =>
      catalog.rows<Tombstone>(
        sql`select ${TOMBSTONE} from tenantctl_catalog.tenants t where t.id = any (${ids}::text[]) and t.status = 'deleted'`,
      ),
    );
    const deleted = new Map(tombstones.map((tombstone) => [tombstone.tenant, tombstone]));
    for (const { tenant, key, schema } of placed) {
      const tombstone = deleted.get(tenant);
      if (tombstone?.key === key) found.push({ ...tombstone, schema, placed: true, own: false, tables: [] });
    }
    full = placed.length === PAGE;
    after = ids.at(-1) ?? after;
  }
  return found;
}

/** Schemas here that were a deleted tenant's own, and are nobody else's now. */
export async function schemasOfDeleted({ fleet, cluster, session }: DatabaseContext): Promise<Traces[]> {
  const schemas = await session.rows<{ name: string }>(
    raw(`select nspname::text as name from pg_namespace where nspname !~ '^pg_' order by 1`),
  );
  const names = schemas.map(({ name }) => name);
  const found = await fleet.catalog((catalog) =>
    catalog.rows<Tombstone & { schema: string }>(sql`
      select distinct ${TOMBSTONE}, p.schema from tenantctl_catalog.tenants t
        join tenantctl_catalog.placements p on p.tenant = t.id
       where t.status = 'deleted' and p.tier = 'schema' and p.cluster = ${cluster} and p.database = ${session.database}
         and p.schema = any (${names}::text[])
         and not exists (select from tenantctl_catalog.placements o where o.until is null and o.tenant <> t.id
               and o.cluster = p.cluster and o.database = p.database and o.schema = p.schema)
       order by 1`),
  );
  return found.map((tombstone) => ({ ...tombstone, placed: false, own: true, tables: [] }));
}

/** Rows with the key of a deleted tenant in the pools of this database, wherever it lived. */
export async function rowsOfDeleted(context: DatabaseContext): Promise<Traces[]> {
  const tables = await tenantedTables(context);
  if (tables.length === 0) return [];
  const found: Traces[] = [];
  for (let after = '', full = true; full;) {
    const tombstones = await context.fleet.catalog((catalog) =>
      catalog.rows<Tombstone>(sql`
        select ${TOMBSTONE} from tenantctl_catalog.tenants t where t.status = 'deleted' and t.id > ${after} order by t.id limit ${PAGE}`),
    );
    found.push(...(await rowsWithKeys(context, tables, tombstones)));
    full = tombstones.length === PAGE;
    after = tombstones.at(-1)?.tenant ?? after;
  }
  return found;
}

interface TenantedTable {
  schema: string;
  table: string;
  type: string;
}

/** Tables with the tenant column in the schemas of pools, as configuration and catalog know them. */
async function tenantedTables({ fleet, cluster, session }: DatabaseContext): Promise<TenantedTable[]> {
  const known = await fleet.catalog((catalog) =>
    catalog.rows<{ schema: string }>(
      sql`select schema from tenantctl_catalog.pools where cluster = ${cluster} and database = ${session.database}`,
    ),
  );
  const configured = Object.values(fleet.cluster(cluster).pools).filter(
    ({ database }) => database === session.database,
  );
  const schemas = [...new Set([...known, ...configured].map(({ schema }) => schema))];
  return session.rows<TenantedTable>(sql`
    select n.nspname::text as schema, c.relname::text as table, format_type(a.atttypid, a.atttypmod) as type
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
      join pg_attribute a on a.attrelid = c.oid and a.attname = ${fleet.settings.tenancy.column} and a.attnum > 0 and not a.attisdropped
     where n.nspname = any (${schemas}::text[]) and c.relkind in ('r', 'p') and not c.relispartition order by 1, 2`);
}

/** In a transaction that sees every tenant's rows, and writes none. */
async function rowsWithKeys(
  { fleet, session }: DatabaseContext,
  tables: readonly TenantedTable[],
  tombstones: readonly Tombstone[],
): Promise<Traces[]> {
  if (tombstones.length === 0) return [];
  const byKey = new Map(tombstones.map((tombstone) => [tombstone.key, tombstone]));
  const column = ident('x', fleet.settings.tenancy.column);
  return session.transaction(async () => {
    await session.execute(sql`select set_config('tenantctl.scope', 'fleet', true)`);
    const found: Traces[] = [];
    for (const { schema, table, type } of tables) {
      const rows = await session.rows<{ key: string }>(sql`
        select k.key from unnest(${[...byKey.keys()]}::text[]) k (key)
         where exists (select from ${ident(schema, table)} x where ${column} = k.key::${raw(type)})`);
      for (const { key } of rows)
        found.push({ ...(byKey.get(key) as Tombstone), schema, placed: false, own: false, tables: [table] });
    }
    return found;
  }, 'begin read only');
}
