import type { TenancySettings } from '../../core/settings.js';
import { LOCAL_STATE, installedVersion } from '../../engine/ledger/own-schema.js';
import { type Outside, dependentsOutside } from '../../engine/rows/outside.js';
import type { Connection } from '../../pg/connection.js';
import { raw, sql } from '../../pg/sql.js';

/** A table that something of ours is on. */
export interface MarkedTable {
  schema: string;
  name: string;
  owner: string;
  /** Type of its tenant column; null when it has none of that name. */
  type: string | null;
  policies: string[];
  triggers: string[];
  /** A constraint that an enforcement which was cut short has left. */
  checks: string[];
  /** May the role that looks again after deletions read it? */
  rescanned: boolean;
}

/** Everything that this tool has put into one database beside its own schema. */
export interface Traces {
  /** Is our schema there? */
  installed: boolean;
  tables: MarkedTable[];
  /** Schemas that bear our comment, and those that the role for looking again may use. */
  comments: string[];
  rescanned: string[];
  /** Homes of tenants, by the local state. */
  homes: { tenant: string; schema: string; tier: string }[];
  /** Tables whose tenant column has the session's tenant as its default, by schema. */
  defaults: { schema: string; count: number }[];
  /** The schema for extensions, where it is there. */
  extensions: string[];
  /** What would go with our schema and is not ours. */
  outside: Outside[];
  /** Constraints and triggers of the application's that a move has set aside, and that only our schema remembers. */
  aside: number;
  /** The fleet whose catalog is in this database, or null. */
  catalogOf: string | null;
}

const OURS = /^(policy )?"?tenantctl_(tenant|guard|fleet|rescan)"? on |^"?tenantctl_[0-9a-f]{8}_/;

/** Reads what there is; nothing is changed. */
export async function readTraces(session: Connection, tenancy: TenancySettings): Promise<Traces> {
  const { column, setting, extensionsSchema } = tenancy;
  const installed = (await installedVersion(session, LOCAL_STATE)) > 0;
  return {
    installed,
    tables: await readTables(session, column),
    comments: await names(session, sql`obj_description(n.oid, 'pg_namespace') like 'tenantctl: pool %'`),
    rescanned: await names(
      session,
      sql`exists (select from aclexplode(n.nspacl) x join pg_roles r on r.oid = x.grantee where r.rolname = 'tenantctl_rescan')`,
    ),
    homes: installed
      ? await session.rows(sql`select tenant, schema, tier from tenantctl.placement order by 1, 2`)
      : [],
    defaults: await readDefaults(session, column, setting),
    extensions: installed ? await names(session, sql`n.nspname = ${extensionsSchema}`) : [],
    outside: installed
      ? (await dependentsOutside(session, LOCAL_STATE.schema)).filter(({ name }) => !OURS.test(name))
      : [],
    aside: await count(session, 'tenantctl.set_aside'),
    catalogOf: await catalogIn(session),
  };
}

async function count(session: Connection, table: string): Promise<number> {
  const there = await session.row(sql`select where to_regclass(${table}) is not null`);
  if (there === undefined) return 0;
  const row = await session.row<{ count: number }>(sql`select count(*)::int as count from ${raw(table)}`);
  return row?.count ?? 0;
}

/** The fleet whose catalog is in this database, or null. */
export async function catalogIn(session: Connection): Promise<string | null> {
  const table = 'tenantctl_catalog.installation';
  const there = await session.row(sql`select where to_regclass(${table}) is not null`);
  if (there === undefined) return null;
  const row = await session.row<{ fleet: string }>(sql`select fleet::text from ${raw(table)}`);
  return row?.fleet ?? null;
}

function readTables(session: Connection, column: string): Promise<MarkedTable[]> {
  return session.rows<MarkedTable>(sql`
    select * from (
      select n.nspname::text as schema, c.relname::text as name, pg_get_userbyid(c.relowner)::text as owner,
             (select format_type(a.atttypid, a.atttypmod) from pg_attribute a
               where a.attrelid = c.oid and a.attname = ${column} and a.attnum > 0 and not a.attisdropped) as type,
             array(select p.polname::text from pg_policy p where p.polrelid = c.oid
               and p.polname in ('tenantctl_tenant', 'tenantctl_guard', 'tenantctl_fleet', 'tenantctl_rescan') order by 1) as policies,
             array(select t.tgname::text from pg_trigger t where t.tgrelid = c.oid and t.tgparentid = 0
               and t.tgname ~ '^tenantctl_[0-9a-f]{8}_' order by 1) as triggers,
             array(select k.conname::text from pg_constraint k where k.conrelid = c.oid and k.conname = 'tenantctl_not_null') as checks,
             exists (select from aclexplode(c.relacl) x join pg_roles r on r.oid = x.grantee where r.rolname = 'tenantctl_rescan') as rescanned
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where c.relkind in ('r', 'p') and n.nspname not in ('tenantctl', 'tenantctl_catalog', 'pg_catalog', 'information_schema')) t
     where cardinality(policies) + cardinality(triggers) + cardinality(checks) > 0 or rescanned order by 1, 2`);
}

async function names(session: Connection, condition: ReturnType<typeof sql>): Promise<string[]> {
  const rows = await session.rows<{ name: string }>(
    sql`select n.nspname::text as name from pg_namespace n where ${condition} order by 1`,
  );
  return rows.map(({ name }) => name);
}

function readDefaults(session: Connection, column: string, setting: string): Promise<Traces['defaults']> {
  return session.rows(sql`
    select n.nspname::text as schema, count(*)::int as count
      from pg_attrdef d join pg_class c on c.oid = d.adrelid join pg_namespace n on n.oid = c.relnamespace
      join pg_attribute a on a.attrelid = c.oid and a.attnum = d.adnum
     where a.attname = ${column} and c.relkind in ('r', 'p')
       and starts_with(lower(pg_get_expr(d.adbin, d.adrelid)), ${`(nullif(current_setting('${setting}'`.toLowerCase()})
     group by 1 order by 1`);
}
