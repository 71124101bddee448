import type { Connection } from '../../pg/connection.js';
import { ident, join, sql } from '../../pg/sql.js';
import { type Side, tableOf } from '../rows/side.js';
import { type Scope, scopedRows } from '../rows/scope.js';

/** Why a home cannot be deleted as it stands. */
export interface Obstacle {
  /** The table or object it is about. */
  where: string;
  problem: string;
  remedy: string;
}

/**
 * What nobody can decide or remove by the tables alone; a deletion that met it would leave something behind.
 * @param drops what goes with the tenant
 */
export async function findObstacles(
  session: Connection,
  side: Side,
  scope: Scope,
  drops: 'rows' | 'schema' | 'database',
): Promise<Obstacle[]> {
  const unclassified = scope.unclassified.map(({ table, problem, remedy }) => ({
    where: table,
    problem,
    remedy,
  }));
  return [
    ...unclassified,
    ...(await references(session, side)),
    ...(drops === 'rows' ? await largeObjects(session, side) : []),
    ...(drops === 'rows' ? await rowsOfOthers(session, side, scope) : []),
    ...(drops === 'schema' ? await viewsOutside(session, side) : []),
    ...(drops === 'database' ? await publishers(session) : []),
  ];
}

/** A table elsewhere in the database that refers to rows here keeps them from going, or goes with them unseen. */
async function references(session: Connection, side: Side): Promise<Obstacle[]> {
  const { schema } = side.home.placement;
  const rows = await session.rows<{ table: string; name: string; parent: string }>(sql`
    select k.conrelid::regclass::text as table, k.conname::text as name, p.relname::text as parent
      from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_class p on p.oid = k.confrelid
      join pg_namespace n on n.oid = p.relnamespace
     where n.nspname = ${schema} and c.relnamespace <> p.relnamespace and k.contype = 'f' and k.conparentid = 0 order by 1, 2`);
  return rows.map(({ table, name, parent }) => ({
    where: table,
    problem: `its foreign key ${name} refers to ${parent} from outside schema ${schema}, so its rows may be the tenant's`,
    remedy: `alter table ${table} drop constraint ${ident(name).text()}; or bring the table into the schema with a migration`,
  }));
}

/** A row of another tenant that refers to one of these would be deleted with it, or lose its reference. */
async function rowsOfOthers(session: Connection, side: Side, scope: Scope): Promise<Obstacle[]> {
  const tables = new Map(scope.tables.map((table) => [table.name, table]));
  const found: Obstacle[] = [];
  for (const { name, child, columns, parent, referenced } of scope.foreignKeys) {
    const [from, to] = [tables.get(child), tables.get(parent)];
    if (from === undefined || to === undefined) continue;
    const tenant = from.tenantColumn === null ? -1 : columns.indexOf(from.tenantColumn);
    if (tenant >= 0 && referenced[tenant] === to.tenantColumn) continue;
    const same = columns.map(
      (column, n) => sql`${ident('p', referenced[n] as string)} = ${ident('x', column)}`,
    );
    const row = await session.row(sql`
      select from ${tableOf(side, child)} x join ${tableOf(side, parent)} p on ${join(same, ' and ')}
       where ${scopedRows(side, to, 'p')} and (${scopedRows(side, from, 'x')}) is not true limit 1`);
    if (row === undefined) continue;
    found.push({
      where: child,
      problem: `rows of other tenants refer to rows of this one in ${parent} by ${name}, and would be changed or deleted with them`,
      remedy: `let the key name the tenant column on both sides, with a migration; and see to those rows: select * from ${tableOf(side, child).text()} x join ${tableOf(side, parent).text()} p on ${join(same, ' and ').text()} where ${scopedRows(side, to, 'p').text()} and (${scopedRows(side, from, 'x').text()}) is not true;`,
    });
  }
  return found;
}

/** They would go with the schema, unseen by whoever made them. */
async function viewsOutside(session: Connection, side: Side): Promise<Obstacle[]> {
  const rows = await session.rows<{ view: string }>(sql`
    select distinct v.oid::regclass::text as view from pg_depend d
      join pg_rewrite w on d.classid = 'pg_rewrite'::regclass and w.oid = d.objid join pg_class v on v.oid = w.ev_class
      join pg_class c on d.refclassid = 'pg_class'::regclass and c.oid = d.refobjid join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = ${side.home.placement.schema} and v.relnamespace <> c.relnamespace order by 1`);
  return rows.map(({ view }) => ({
    where: view,
    problem: 'it reads tables of the schema from outside, and would be dropped with them',
    remedy: `drop view ${view}; or let it read something else`,
  }));
}

/** Nothing says whose a large object is but the column that holds its number. */
async function largeObjects(session: Connection, side: Side): Promise<Obstacle[]> {
  const rows = await session.rows<{ table: string; column: string }>(sql`
    select c.relname::text as table, a.attname::text as column
      from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace join pg_type t on t.oid = a.atttypid
     where n.nspname = ${side.home.placement.schema} and c.relkind in ('r', 'p') and not c.relispartition and a.attnum > 0
       and not a.attisdropped and (t.typname = 'lo' or (a.atttypid = 'oid'::regtype and exists (select from pg_largeobject_metadata))) order by 1, 2`);
  return rows.map(({ table, column }) => ({
    where: `${table}.${column}`,
    problem: 'it may hold numbers of large objects, which are not rows of any table',
    remedy: `with a migration: alter table ${ident(table).text()} add the contents as bytea, and drop ${ident(column).text()}`,
  }));
}

/** They keep a database from being dropped, and only a replication role may remove them. */
async function publishers(session: Connection): Promise<Obstacle[]> {
  const slots = await session.rows<{ name: string }>(sql`
    select slot_name::text as name from pg_replication_slots where database = current_database() and slot_type = 'logical' order by 1`);
  return slots.map(({ name }) => ({
    where: name,
    problem: `logical replication slot ${name} reads this database and keeps its changes`,
    remedy: `as a replication role: select pg_drop_replication_slot('${name.replaceAll("'", "''")}');`,
  }));
}
