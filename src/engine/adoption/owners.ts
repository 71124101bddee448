import type { Connection } from '../../pg/connection.js';
import { raw, sql } from '../../pg/sql.js';

/** Whose tables a schema holds, and who works with them. */
export interface SchemaOwners {
  tables: number;
  /** The role that owns most of its tables; null in an empty schema. */
  owner: string | null;
  /** May the administrator act as it? */
  settable: boolean;
  /** Roles that own others of them, as which the owner may not act. */
  others: string[];
  /** The role that may write to most of its tables, other than their owner; null when only the owner may. */
  application: string | null;
}

/** Since 16 a member may be barred from acting as the role. */
const SET_OPTION_SINCE = 160_000;

/** Reads that of many schemas of one database; one that is not there is not in the answer. */
export async function readOwners(
  connection: Connection,
  schemas: readonly string[],
): Promise<Map<string, SchemaOwners>> {
  const privilege = raw(connection.version >= SET_OPTION_SINCE ? "'SET'" : "'MEMBER'");
  const rows = await connection.rows<{ schema: string } & SchemaOwners>(sql`
    with places as (select oid, nspname from pg_namespace where nspname = any(${schemas}::text[])),
    tables as (select p.oid as nsp, c.oid, c.relowner, c.relacl from places p join pg_class c on c.relnamespace = p.oid and c.relkind in ('r', 'p')),
    owners as (select nsp, relowner, count(*)::int as tables from tables group by nsp, relowner),
    writers as (
      select t.nsp, x.grantee, count(*) as tables from tables t cross join lateral aclexplode(t.relacl) x
       where x.privilege_type = 'INSERT' and x.grantee <> 0 and x.grantee <> t.relowner and x.grantee <> (select oid from pg_roles where rolname = session_user)
       group by t.nsp, x.grantee),
    first_owner as (select distinct on (nsp) nsp, relowner from owners order by nsp, tables desc, relowner),
    first_writer as (select distinct on (nsp) nsp, grantee from writers order by nsp, tables desc, grantee)
    select p.nspname as schema, coalesce(o.tables, 0)::int as tables, pg_get_userbyid(f.relowner)::text as owner,
           coalesce(pg_has_role(f.relowner, ${privilege}), true) as settable,
           coalesce(o.others, '{}') as others, pg_get_userbyid(w.grantee)::text as application
      from places p
      left join first_owner f on f.nsp = p.oid
      left join (select n.nsp, sum(n.tables) as tables, array_agg(pg_get_userbyid(n.relowner)::text) filter (where not pg_has_role(f.relowner, n.relowner, 'USAGE')) as others
                   from owners n join first_owner f using (nsp) group by n.nsp) o on o.nsp = p.oid
      left join first_writer w on w.nsp = p.oid`);
  return new Map(rows.map(({ schema, ...owners }) => [schema, owners]));
}

/** May the administrator make a schema in this database? */
export async function mayMakeSchemas(connection: Connection): Promise<boolean> {
  const row = await connection.row<{ may: boolean }>(
    sql`select has_database_privilege(current_database(), 'CREATE') as may`,
  );
  return row?.may === true;
}

/** Those of these roles that the cluster has. */
export async function existingRoles(connection: Connection, names: readonly string[]): Promise<string[]> {
  const rows = await connection.rows<{ name: string }>(
    sql`select rolname as name from pg_roles where rolname = any(${names}::text[])`,
  );
  return rows.map(({ name }) => name);
}
