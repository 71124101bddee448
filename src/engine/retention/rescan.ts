import { groupBy } from '../../core/group-by.js';
import type { Connection } from '../../pg/connection.js';
import { sqlstateOf } from '../../pg/errors.js';
import { type Sql, join, literal, raw, script, sql } from '../../pg/sql.js';
import { RESCAN_ROLE, becomeRescan } from './rescan-role.js';

/** Rows with the key of a tenant, somewhere in a database. */
export interface FoundRows {
  schema: string;
  table: string;
  key: string;
  rows: number;
}

/** What one look over a whole database has seen. */
export interface DatabaseScan {
  database: string;
  found: FoundRows[];
  /** How many tables were read as which role. */
  tables: Record<string, number>;
  /** Tables with the tenant column that nobody of us may read, or not whole. */
  notRead: string[];
}

interface Candidate {
  schema: string;
  table: string;
  /** Qualified and quoted. */
  name: string;
  /** Quoted. */
  column: string;
  /** Has it the type of the tenants' keys, so that an index can serve? */
  typed: boolean;
  reader: 'rescan' | 'administrator' | null;
}

const TABLES_AT_ONCE = 100;
const TRIES = 20;
/** A table, schema or column that is not there any more; the last is how the server itself stumbles over one. */
const GONE_MEANWHILE = new Set(['42P01', '3F000', '42703', 'XX000']);

/**
 * Looks for rows with these keys in every table and materialized view of a database that has a column of the tenant
 * column's name, in whatever schema: by the role for looking again wherever it may read, otherwise by the administrator.
 * The session is not used for anything else afterwards.
 */
export async function scanDatabase(
  session: Connection,
  tenantColumn: string,
  columnType: string,
  keys: readonly string[],
): Promise<DatabaseScan> {
  session.retire();
  await session.message('set search_path = pg_catalog; set statement_timeout = 0');
  const look = (): Promise<DatabaseScan> => lookOnce(session, tenantColumn, columnType, keys);
  return again(session, look);
}

/** Others drop tables while we look: what is not there any more holds nothing, so the look begins anew. */
async function again(session: Connection, look: () => Promise<DatabaseScan>): Promise<DatabaseScan> {
  for (let left = TRIES; ; left -= 1) {
    try {
      return await look();
    } catch (error) {
      if (left === 0 || !GONE_MEANWHILE.has(sqlstateOf(error) ?? '')) throw error;
      await session.message('reset role');
    }
  }
}

async function lookOnce(
  session: Connection,
  tenantColumn: string,
  columnType: string,
  keys: readonly string[],
): Promise<DatabaseScan> {
  await session.message(`set tenantctl.scope = 'fleet'`);
  const candidates = await readCandidates(session, tenantColumn, columnType);
  const byReader = groupBy(candidates, ({ reader }) => reader ?? 'nobody');
  const found = await placements(session, keys);
  const scan: DatabaseScan = { database: session.database, found, tables: {}, notRead: [] };
  scan.notRead = (byReader.get('nobody') ?? []).map(({ name }) => name);
  // Where there is no table any more, somebody has looked all the same.
  scan.tables[session.user] = 0;
  for (const reader of ['administrator', 'rescan'] as const) {
    const tables = byReader.get(reader) ?? [];
    if (tables.length === 0) continue;
    if (reader === 'rescan') await session.message(script([becomeRescan()]));
    scan.tables[reader === 'rescan' ? RESCAN_ROLE : session.user] = tables.length;
    for (let at = 0; at < tables.length; at += TABLES_AT_ONCE)
      scan.found.push(...(await countRows(session, columnType, keys, tables.slice(at, at + TABLES_AT_ONCE))));
  }
  return scan;
}

/** Homes that say they are one of these tenants': they have the key in a column of another name. */
async function placements(session: Connection, keys: readonly string[]): Promise<FoundRows[]> {
  const there = await session.row(sql`select where to_regclass('tenantctl.placement') is not null`);
  if (there === undefined) return [];
  return session.rows<FoundRows>(sql`
    select 'tenantctl' as schema, 'placement' as table, key, count(*)::float8 as rows
      from tenantctl.placement where key = any (${keys}::text[]) group by 3`);
}

/** A policy that lets neither role through would hide rows and say nothing: such a table counts as not read. */
async function readCandidates(
  session: Connection,
  tenantColumn: string,
  columnType: string,
): Promise<Candidate[]> {
  return session.rows<Candidate>(sql`
    select n.nspname::text as schema, c.relname::text as table, c.oid::regclass::text as name, quote_ident(a.attname) as column,
      format_type(a.atttypid, a.atttypmod) = ${columnType} as typed,
      case when role.oid is not null and has_table_privilege(role.oid, c.oid, 'SELECT') and has_schema_privilege(role.oid, n.oid, 'USAGE')
             and (not c.relrowsecurity or exists (select from pg_policy p where p.polrelid = c.oid and p.polname = 'tenantctl_rescan'))
           then 'rescan'
           when has_schema_privilege(n.oid, 'USAGE') and has_table_privilege(c.oid, 'SELECT')
             and (not row_security_active(c.oid) or exists (select from pg_policy p where p.polrelid = c.oid and p.polname = 'tenantctl_fleet'))
           then 'administrator' end as reader
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
      join pg_attribute a on a.attrelid = c.oid and a.attname = ${tenantColumn} and a.attnum > 0 and not a.attisdropped
      left join pg_roles role on role.rolname = ${RESCAN_ROLE}
     where c.relkind in ('r', 'p', 'm') and not c.relispartition and (c.relkind <> 'm' or c.relispopulated)
       and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast', 'tenantctl', 'tenantctl_catalog') and n.nspname not like 'pg\\_temp%' order by 1, 2`);
}

async function countRows(
  session: Connection,
  columnType: string,
  keys: readonly string[],
  tables: readonly Candidate[],
): Promise<FoundRows[]> {
  const list = keys.map(literal).join(', ');
  const parts = tables.map(({ schema, table, name, column, typed }): Sql => {
    const [values, value] = typed ? [`${columnType}[]`, column] : ['text[]', `${column}::text`];
    return raw(`select ${literal(schema)}::text as schema, ${literal(table)}::text as table, ${column}::text as key, count(*)::float8 as rows
      from ${name} where ${value} = any (array[${list}]::${values}) group by 3`);
  });
  return session.rows<FoundRows>(join(parts, ' union all '));
}

/** The databases of a cluster that can be looked into, and those that cannot. Templates hold no tenant's rows. */
export async function databasesOf(session: Connection): Promise<{ open: string[]; shut: string[] }> {
  const rows = await session.rows<{ name: string; open: boolean }>(
    raw(`
    select datname::text as name, datallowconn and has_database_privilege(oid, 'CONNECT') as open
      from pg_database where not datistemplate and datname not like 'template%' and datname not like 'tenantctl\\_template\\_%' order by 1`),
  );
  const names = (open: boolean): string[] => rows.filter((row) => row.open === open).map(({ name }) => name);
  return { open: names(true), shut: names(false) };
}
