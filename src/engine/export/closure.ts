import type { Connection } from '../../pg/connection.js';
import { type Sql, ident, join, raw, sql } from '../../pg/sql.js';
import type { ForeignKey } from '../rows/foreign-keys.js';
import { type Scope, scopedRows } from '../rows/scope.js';
import { type Side, tableOf } from '../rows/side.js';

/** Where the referred rows are kept; made before the transaction, which may then write to it although it only reads. */
export const REFERRED_TABLE =
  'create temp table tenantctl_referred (leaf oid not null, place tid not null, primary key (leaf, place))';

const REFERRED = ident('pg_temp', 'tenantctl_referred');

/** The condition for the rows of a shared table that were found. */
export function referredRows(alias: string): Sql {
  return sql`exists (select from ${REFERRED} r where r.leaf = ${ident(alias)}.tableoid and r.place = ${ident(alias)}.ctid)`;
}

/** The shared tables to which tables of the tenant refer, or other tables that they refer to. */
export function referredTables({ tables, shared, foreignKeys }: Scope): Set<string> {
  const open = new Set(shared.map(({ name }) => name));
  const reached = new Set(tables.map(({ name }) => name));
  for (let size = -1; size !== reached.size;) {
    size = reached.size;
    for (const { child, parent } of foreignKeys)
      if (reached.has(child) && open.has(parent)) reached.add(parent);
  }
  return new Set([...open].filter((name) => reached.has(name)));
}

/**
 * Finds the rows of shared tables that the tenant's rows refer to, and those that these refer to, until no more come.
 * Within one snapshot a row keeps its place.
 */
export async function findReferred(session: Connection, side: Side, scope: Scope): Promise<void> {
  const referred = referredTables(scope);
  const owned = new Map(scope.tables.map((table) => [table.name, table]));
  const keys = scope.foreignKeys.filter(({ parent }) => referred.has(parent));
  const ofTenant = keys.filter(({ child }) => owned.has(child));
  const ofShared = keys.filter(({ child }) => referred.has(child));
  for (const key of ofTenant) {
    const table = owned.get(key.child);
    if (table !== undefined) await addReferred(session, side, key, scopedRows(side, table, 'c'));
  }
  for (let added = 1; added > 0;) {
    added = 0;
    for (const key of ofShared) added += await addReferred(session, side, key, referredRows('c'));
  }
}

function addReferred(
  session: Connection,
  side: Side,
  { child, columns, parent, referenced }: ForeignKey,
  condition: Sql,
): Promise<number> {
  const values = columns.map((name, n) => sql`${ident('c', name)} as ${ident(`k${n}`)}`);
  const same = referenced.map((name, n) => sql`${ident('p', name)} = ${ident('k', `k${n}`)}`);
  return session.execute(sql`
    insert into ${REFERRED} (leaf, place)
    select p.tableoid, p.ctid
      from (select distinct ${join(values)} from ${tableOf(side, child)} c where ${condition}) k
      join ${tableOf(side, parent)} p on ${join(same, ' and ')}
    ${raw('on conflict do nothing')}`);
}
