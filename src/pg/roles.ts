import type { Connection } from './connection.js';
import { raw, sql } from './sql.js';

/** Since 16 a member may be one that can inherit a role's rights, and yet not assume it. */
const SET_OPTION_SINCE = 160_000;

/** May the user of a session assume a role? */
export async function mayBecome(connection: Connection, role: string): Promise<'yes' | 'no' | 'gone'> {
  const way = raw(connection.version >= SET_OPTION_SINCE ? `'SET'` : `'MEMBER'`);
  const row = await connection.row<{ may: boolean }>(
    sql`select pg_has_role(session_user, oid, ${way}) as may from pg_roles where rolname = ${role}`,
  );
  if (row === undefined) return 'gone';
  return row.may ? 'yes' : 'no';
}
