import type { Connection } from './connection.js';
import { sql } from './sql.js';

/** Since 16 a member may be one that can inherit a role's rights, and yet not assume it. */
const SET_OPTION_SINCE = 160_000;

/** What a session's user must be of a role to act as it, as `pg_has_role` calls it. */
export function membershipToAct({ version }: Connection): string {
  return version >= SET_OPTION_SINCE ? 'SET' : 'MEMBER';
}

/** May the user of a session assume a role? */
export async function mayBecome(connection: Connection, role: string): Promise<'yes' | 'no' | 'gone'> {
  const row = await connection.row<{ may: boolean }>(
    sql`select pg_has_role(session_user, oid, ${membershipToAct(connection)}) as may from pg_roles where rolname = ${role}`,
  );
  if (row === undefined) return 'gone';
  return row.may ? 'yes' : 'no';
}
