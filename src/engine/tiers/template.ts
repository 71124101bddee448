import { createHash } from 'node:crypto';
import { conflictError } from '../../core/errors.js';
import type { Connection } from '../../pg/connection.js';
import { sqlstateOf } from '../../pg/errors.js';
import { withLock } from '../../pg/locks.js';
import { withLockRetry } from '../../pg/retry.js';
import { ident, literal, raw, sql } from '../../pg/sql.js';
import type { Fleet } from '../context.js';
import { digestOf } from '../ledger/files.js';
import { type Migration, migrationsFor } from '../ledger/migration.js';
import { LOCAL_STATE, newestVersion } from '../ledger/own-schema.js';
import { SELF, dedicatedUnit } from './dedicated.js';
import { fillHome } from './fill.js';
import { databaseExists, openToApplications } from './managed-database.js';

const FINISHED = 'tenantctl_template_';
const HALF_MADE = 'tenantctl_making_';

/** Somebody is still leaving the database that is to be renamed, copied or dropped. */
export const STILL_IN_USE: ReadonlySet<string> = new Set(['55006']);
const NOT_ALLOWED = '42501';
const PATIENCE = 8;

/**
 * The name of a locked database that holds every migration, made if it is missing. It is named by the
 * digest of what is in it and never changed: other migrations give another template. It gets its final
 * name only when it is complete, so a crash leaves a half-made one that the next builder throws away.
 */
export async function ensureTemplate(
  fleet: Fleet,
  cluster: string,
  migrations: readonly Migration[],
): Promise<string> {
  const digest = await templateDigest(fleet, migrations);
  const name = FINISHED + digest;
  await fleet.once(`template ${cluster}/${digest}`, async () => {
    const connections = fleet.connections(cluster);
    await connections.use(connections.maintenanceDatabase, async (connection) => {
      if (await databaseExists(connection, name)) return;
      await withLock(connection, 'cluster', HALF_MADE + digest, async () => {
        if (await databaseExists(connection, name)) return;
        await build(fleet, cluster, connection, digest, migrations).catch(async (error: unknown) => {
          // Corrected migrations have another name, so nobody would come back for this one.
          await abandon(fleet, cluster, connection, digest);
          throw error;
        });
        await dropOlder(fleet, connection, name);
      });
    });
  });
  return name;
}

async function build(
  fleet: Fleet,
  cluster: string,
  connection: Connection,
  digest: string,
  migrations: readonly Migration[],
): Promise<void> {
  const making = HALF_MADE + digest;
  await dropDatabase(connection, making);
  await connection.execute(sql`create database ${ident(making)}`);
  await connection.execute(sql`revoke connect on database ${ident(making)} from public`);
  fleet.reach('template.created');
  await fleet.managed(cluster, making, async (session) => {
    await openToApplications(session, fleet.settings.tenancy);
    await session.execute(sql`create schema ${ident(SELF.schema)}`);
    await fillHome(
      fleet,
      session,
      dedicatedUnit('template', { cluster, database: making, schema: SELF.schema }),
      migrations,
    );
  });
  await fleet.connections(cluster).leave(making);
  fleet.reach('template.migrated');
  await connection.execute(
    raw(`comment on database ${ident(making).text()} is ${literal(await markOf(fleet))}`),
  );
  await connection.execute(sql`alter database ${ident(making)} allow_connections false`);
  await renameDatabase(connection, making, FINISHED + digest);
}

/** A failure to tidy up must not hide the failure that led here. */
async function abandon(fleet: Fleet, cluster: string, connection: Connection, digest: string): Promise<void> {
  await fleet.connections(cluster).leave(HALF_MADE + digest);
  await dropDatabase(connection, HALF_MADE + digest).catch(() => undefined);
}

/** Earlier templates of this fleet. Another fleet on the same cluster keeps its own. */
async function dropOlder(fleet: Fleet, connection: Connection, current: string): Promise<void> {
  const older = await connection.rows<{ datname: string }>(sql`
    select datname from pg_database where datname like ${`${FINISHED.replaceAll('_', '\\_')}%`} and datname <> ${current}
      and shobj_description(oid, 'pg_database') = ${await markOf(fleet)}`);
  for (const { datname } of older) await dropDatabase(connection, datname);
}

/**
 * Drops a database and ends the sessions in it.
 * @throws conflict `DATABASE_IN_USE` (exit 5) when there are some that the administrator may not end
 */
export async function dropDatabase(connection: Connection, name: string): Promise<void> {
  try {
    await withLockRetry(PATIENCE, STILL_IN_USE, () =>
      connection.execute(sql`drop database if exists ${ident(name)} with (force)`),
    );
  } catch (error) {
    throw sqlstateOf(error) === NOT_ALLOWED ? await inUse(connection, name, error) : error;
  }
}

async function inUse(connection: Connection, name: string, error: unknown): Promise<unknown> {
  const sessions = await connection.rows<{ role: string }>(
    sql`select distinct usename::text as role from pg_stat_activity where datname = ${name} and usename is not null order by 1`,
  );
  if (sessions.length === 0) return error;
  const roles = sessions.map(({ role }) => role);
  const whose = roles.join(', ');
  return conflictError(
    'DATABASE_IN_USE',
    `Database ${name} cannot be dropped: sessions of ${whose} are connected to it, and ${connection.user} may not end them.`,
    {
      hint: `Nothing of it was deleted. Close them, or as a superuser: GRANT pg_signal_backend TO ${ident(connection.user).text()}; then run the same command again.`,
      facts: { database: name, roles },
      cause: error,
    },
  );
}

export async function renameDatabase(connection: Connection, from: string, to: string): Promise<void> {
  await withLockRetry(PATIENCE, STILL_IN_USE, () =>
    connection.execute(sql`alter database ${ident(from)} rename to ${ident(to)}`),
  );
}

async function markOf(fleet: Fleet): Promise<string> {
  const row = await fleet.catalog((connection) =>
    connection.row<{ fleet: string }>(raw('select fleet::text from tenantctl_catalog.installation')),
  );
  return `tenantctl: template of fleet ${row?.fleet ?? 'unknown'}`;
}

/** Everything that decides what is in a template: migrations, tenancy rules, our own local state, the fleet. */
async function templateDigest(fleet: Fleet, migrations: readonly Migration[]): Promise<string> {
  const hash = createHash('sha256');
  hash.update(digestOf(migrationsFor(migrations, 'database')));
  hash.update(JSON.stringify(fleet.settings.tenancy));
  hash.update(String(await newestVersion(LOCAL_STATE)));
  hash.update(await markOf(fleet));
  return hash.digest('hex').slice(0, 16);
}
