import type { Connection } from '../../pg/connection.js';
import { ident, sql } from '../../pg/sql.js';
import type { Placement } from '../../core/tier.js';
import { IS_MADE_FOR_A_TENANT } from '../local/role-mark.js';
import { RESCAN_ROLE } from './rescan-role.js';

/**
 * What of a home that was dropped is still there by name, but for a role that was there before us, as the role for looking again sees it.
 * @param session with the database that the home was in, or with another one of that cluster where it was the database
 */
export async function namesLeft(
  session: Connection,
  { schema, database, role }: Placement,
  drops: 'schema' | 'database',
): Promise<string[]> {
  return session.transaction(async () => {
    await session.execute(sql`set local role ${ident(RESCAN_ROLE)}`);
    const rows = await session.rows<{ name: string }>(sql`
      select 'role ' || rolname as name from pg_roles r where rolname = ${role} and ${IS_MADE_FOR_A_TENANT}
      union all
      select 'schema ' || nspname from pg_namespace where ${drops} = 'schema' and nspname = ${schema}
      union all
      select 'database ' || datname from pg_database where ${drops} = 'database' and datname = ${database}`);
    return rows.map(({ name }) => name);
  });
}
