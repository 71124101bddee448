import type { Connection } from '../../pg/connection.js';
import { type Sql, ident, sql } from '../../pg/sql.js';
import type { Home } from '../local/placements.js';

/** Each one is locked until its transaction ends. */
const AT_ONCE = 1_000;

/**
 * Removes the large objects that a tenant's own role owns in this database; they are in no schema, and would keep the
 * role from being dropped.
 * @param permission a statement that raises unless that is allowed
 */
export async function dropLargeObjects(
  connection: Connection,
  { placement: { role } }: Home,
  permission: Sql,
): Promise<void> {
  const there = await connection.row(sql`select from pg_roles where rolname = ${role}`);
  for (let left = there === undefined ? 0 : AT_ONCE; left === AT_ONCE;) {
    const results = await connection.atomically([
      permission,
      sql`set local role ${ident(role)}`,
      sql`select lo_unlink(m.oid) from (select m.oid from pg_largeobject_metadata m join pg_roles r on r.oid = m.lomowner
        where r.rolname = ${role} limit ${AT_ONCE}) m`,
    ]);
    left = results.at(-1)?.rowCount ?? 0;
  }
}
