import type { Connection } from '../../pg/connection.js';
import { ident, join, sql } from '../../pg/sql.js';
import { isTenantsOwn } from '../local/role-mark.js';
import { type Side, tableOf } from '../rows/side.js';
import { dependentsOutside, rightsOutside } from '../rows/outside.js';
import { type Scope, scopedRows } from '../rows/scope.js';
import { derivedViews } from './views.js';

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
    ...(drops === 'rows' ? await amongOthers(session, side, scope) : await withRole(session, side, drops)),
    ...(drops === 'schema' ? await dropped(session, side) : await references(session, side)),
    ...(drops === 'database' ? await replication(session) : []),
  ];
}

async function amongOthers(session: Connection, side: Side, scope: Scope): Promise<Obstacle[]> {
  return [
    ...(await largeObjects(session, side)),
    ...(await rowsOfOthers(session, side, scope)),
    ...(await viewsOfOthers(session, side, scope)),
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
    const [ours, above] = [scopedRows(side, from, 'x'), scopedRows(side, to, 'p')];
    // Without the tenant column every reference says as much as the one by which we reckon whose a row is.
    const apart =
      from.through === null
        ? sql`${above} and (${ours}) is not true`
        : sql`((${above}) is true) <> ((${ours}) is true)`;
    const rows = sql`from ${tableOf(side, child)} x join ${tableOf(side, parent)} p on ${join(same, ' and ')} where ${apart}`;
    if ((await session.row(sql`select ${rows} limit 1`)) === undefined) continue;
    found.push({
      where: child,
      problem: `by ${name} rows of other tenants refer to rows of this one in ${parent}, or rows of this one to theirs, and would be changed or deleted with them`,
      remedy: `let the key name the tenant column on both sides, with a migration; and see to those rows: select * ${rows.text()};`,
    });
  }
  return found;
}

/** They would go with the schema, unseen by whoever made them. */
async function dropped(session: Connection, side: Side): Promise<Obstacle[]> {
  const { schema } = side.home.placement;
  return (await dependentsOutside(session, schema)).map(({ kind, name }) => ({
    where: name,
    problem: `this ${kind} uses something of schema ${schema} from outside, and would be dropped with it`,
    remedy: `drop it, or let it use something else`,
  }));
}

/** A role with rights elsewhere cannot be dropped, and what it may do there would be left. */
async function withRole(session: Connection, side: Side, drops: 'schema' | 'database'): Promise<Obstacle[]> {
  const { role, schema } = side.home.placement;
  // One that was there before us stays.
  if (!(await isTenantsOwn(session, side.home))) return [];
  return (await rightsOutside(session, role, drops, schema)).map(({ kind, name }) => ({
    where: name,
    problem: `role ${role} has rights on this ${kind}, or owns something there, so it could not be dropped`,
    remedy: `revoke all on ${kind === 'view' || kind === 'materialized view' ? 'table' : kind} ${name} from ${ident(role).text()}; or drop what it owns`,
  }));
}

/** A view that nobody of us may fill again would go on showing what was deleted. */
async function viewsOfOthers(session: Connection, side: Side, scope: Scope): Promise<Obstacle[]> {
  const views = await derivedViews(session, side, scope.tables);
  return views
    .filter(({ ours }) => !ours)
    .map(({ view }) => ({
      where: view,
      problem: 'it holds what was read from tables of the pool, and this tool may not fill it again',
      remedy: `alter materialized view ${view} owner to ${ident(session.user).text()}; or drop it`,
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

/** They keep a database from being dropped, and only a role for replication, or a superuser, may remove them. */
async function replication(session: Connection): Promise<Obstacle[]> {
  const found = await session.rows<{ kind: string; name: string; remedy: string }>(sql`
    select 'logical replication slot' as kind, slot_name::text as name, format('select pg_drop_replication_slot(%L);', slot_name) as remedy
      from pg_replication_slots where database = current_database() and slot_type = 'logical'
    union all
    select 'subscription', subname::text, format('drop subscription %I;', subname)
      from pg_subscription where subdbid = (select oid from pg_database where datname = current_database()) order by 1, 2`);
  return found.map(({ kind, name, remedy }) => ({
    where: name,
    problem: `${kind} ${name} keeps this database from being dropped`,
    remedy: `as a role that may: ${remedy}`,
  }));
}
