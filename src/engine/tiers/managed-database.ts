import { refusedError } from '../../core/errors.js';
import type { TenancySettings } from '../../core/settings.js';
import type { Connection } from '../../pg/connection.js';
import { sqlstateOf } from '../../pg/errors.js';
import { withLock } from '../../pg/locks.js';
import { ident, sql } from '../../pg/sql.js';
import type { Fleet } from '../context.js';
import { ensureAppRole } from './roles.js';

/** Two creators of one database meet as a duplicate name or a unique violation, whoever is later. */
const CREATED_MEANWHILE = new Set(['42P04', '23505']);

/**
 * Makes sure, once a process, that a database for pools or tenant schemas is there with local state,
 * application role and the schema for extensions. A database that the user made is used as it is.
 */
export async function prepareSharedDatabase(fleet: Fleet, cluster: string, database: string): Promise<void> {
  await fleet.once(`shared ${cluster}/${database}`, async () => {
    await createIfMissing(fleet, cluster, database);
    await fleet.managed(cluster, database, (connection) =>
      openToApplications(connection, fleet.settings.tenancy),
    );
    fleet.reach('provision.database-prepared');
  });
}

async function createIfMissing(fleet: Fleet, cluster: string, database: string): Promise<void> {
  const connections = fleet.connections(cluster);
  await connections.use(connections.maintenanceDatabase, async (connection) => {
    if (await databaseExists(connection, database)) return;
    try {
      await ensureAppRole(connection, fleet.settings.tenancy);
      await connection.execute(sql`create database ${ident(database)}`);
      await connection.execute(
        sql`grant connect on database ${ident(database)} to ${ident(fleet.settings.tenancy.appRole)}`,
      );
      await connection.execute(sql`revoke connect on database ${ident(database)} from public`);
    } catch (error) {
      if (!CREATED_MEANWHILE.has(sqlstateOf(error) ?? '')) throw error;
    }
  });
}

export async function databaseExists(connection: Connection, database: string): Promise<boolean> {
  const row = await connection.row(sql`select from pg_database where datname = ${database}`);
  return row !== undefined;
}

/** A fresh copy admits everyone: it is closed while nobody can connect, and the closing is read back. */
export async function closeToPublic(connection: Connection, database: string): Promise<void> {
  const name = ident(database);
  await connection.execute(sql`revoke connect on database ${name} from public`);
  const open = await connection.row<{ open: boolean }>(
    sql`select has_database_privilege('public', ${database}, 'connect') as open`,
  );
  if (open?.open !== false) {
    throw refusedError('DATABASE_STILL_PUBLIC', `Database ${database} could not be closed to PUBLIC.`, {
      hint: 'The administrator must own it: REVOKE by another role only warns.',
      facts: { database },
    });
  }
  await connection.execute(sql`alter database ${name} allow_connections true`);
}

/** Gives a managed database what every tenant in it relies on. Again: no change. */
export async function openToApplications(connection: Connection, tenancy: TenancySettings): Promise<void> {
  await ensureAppRole(connection, tenancy);
  const extensions = ident(tenancy.extensionsSchema);
  // Two processes may come to a new database at once: IF NOT EXISTS alone does not keep them apart.
  await withLock(connection, 'install', 'applications', async () => {
    const there = await connection.row(
      sql`select from pg_namespace where nspname = ${tenancy.extensionsSchema}`,
    );
    await connection.transaction(async () => {
      if (there === undefined) {
        await connection.execute(sql`create schema if not exists ${extensions}`);
        await connection.execute(sql`grant usage on schema ${extensions} to public`);
      }
      await connection.rows(
        sql`select tenantctl.open_to_applications(${tenancy.setting}, ${tenancy.columnType})`,
      );
    });
  });
}
