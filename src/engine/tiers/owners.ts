import { refusedError } from '../../core/errors.js';
import type { Connection } from '../../pg/connection.js';
import { mayBecome } from '../../pg/roles.js';
import { ident, raw, sql } from '../../pg/sql.js';
import type { Home } from '../local/placements.js';

/** The role that owns a schema; undefined where there is no such schema. */
export async function ownerOfSchema(connection: Connection, schema: string): Promise<string | undefined> {
  const row = await connection.row<{ owner: string }>(
    sql`select pg_get_userbyid(nspowner)::text as owner from pg_namespace where nspname = ${schema}`,
  );
  return row?.owner;
}

/** The role that owns a database; undefined where there is no such database. */
export async function ownerOfDatabase(connection: Connection, database: string): Promise<string | undefined> {
  const row = await connection.row<{ owner: string }>(
    sql`select pg_get_userbyid(datdba)::text as owner from pg_database where datname = ${database}`,
  );
  return row?.owner;
}

/**
 * Runs `work` as a role that owns what it is about; the administrator's own where that is the owner.
 * @throws refusal `OWNER_NOT_ASSUMABLE` (exit 6) with the grant that is lacking
 */
export async function asRole(
  connection: Connection,
  home: Home,
  role: string,
  work: () => Promise<unknown>,
): Promise<void> {
  if (role === connection.user) {
    await work();
    return;
  }
  await assertMayBecome(connection, home, role);
  await connection.execute(sql`set role ${ident(role)}`);
  try {
    await work();
  } finally {
    // After a failure in a transaction the rollback does so.
    await connection.execute(raw('reset role')).catch(() => undefined);
  }
}

/** @throws refusal `OWNER_NOT_ASSUMABLE` (exit 6) with the grant that is lacking */
export async function assertMayBecome(
  connection: Connection,
  { tenant, placement }: Home,
  role: string,
): Promise<void> {
  const { user } = connection;
  if (role === user || (await mayBecome(connection, role)) === 'yes') return;
  throw refusedError(
    'OWNER_NOT_ASSUMABLE',
    `The home of tenant ${tenant.id} in database ${placement.database} belongs to role ${role}, and ${user} is no member of it: it is left as it is.`,
    {
      hint: `Whoever may do so runs: GRANT ${ident(role).text()} TO ${ident(user).text()};`,
      facts: { tenant: tenant.id, owner: role, administrator: user },
    },
  );
}
