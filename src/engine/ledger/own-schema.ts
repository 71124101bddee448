import { fileURLToPath } from 'node:url';
import { conflictError } from '../../core/errors.js';
import type { Connection } from '../../pg/connection.js';
import { isDatabaseError } from '../../pg/errors.js';
import { LOCK_CLASS } from '../../pg/locks.js';
import { type Sql, join, sql } from '../../pg/sql.js';
import type { MigrationFile } from '../formats/format.js';
import { readMigrationFiles } from '../formats/registry.js';
import { listMigrationIds } from './files.js';

/** A schema of this tool's own, installed from `migrations/` and recorded in the ledger like a unit. */
export interface OwnSchema {
  schema: string;
  /** Its name in the ledger; tenants' units have a colon, so they never meet. */
  ledgerKey: string;
  directory: string;
}

const directory = (name: string): string =>
  fileURLToPath(new URL(`../../../migrations/${name}/`, import.meta.url));

/** The local state of a managed database. It holds the ledger itself, so it comes first. */
export const LOCAL_STATE: OwnSchema = {
  schema: 'tenantctl',
  ledgerKey: 'tenantctl',
  directory: directory('local'),
};
export const CATALOG: OwnSchema = {
  schema: 'tenantctl_catalog',
  ledgerKey: 'tenantctl_catalog',
  directory: directory('catalog'),
};

/**
 * Installs or upgrades one of our schemas in one transaction; again: no change.
 * @returns the names of the migrations that were applied
 * @throws conflict `SCHEMA_TAKEN` (exit 5) when a schema of that name is there that we did not make
 * @throws conflict `TOOL_OUTDATED` (exit 5) when it was installed by a newer version of this tool
 */
export async function installOwnSchema(
  connection: Connection,
  own: OwnSchema,
  toolVersion: string,
): Promise<string[]> {
  const newest = await newestVersion(own);
  if ((await recordedVersion(connection, own).catch(notThere)) === newest) return [];
  const present = await installedVersion(connection, own);
  if (present > newest) throw toolOutdated(connection, own, present, newest);
  if (present === newest) return [];
  const files = await readMigrationFiles({ directory: own.directory, format: 'postgres-migrations' });
  try {
    return await connection.transaction(() => installMissing(connection, own, files, toolVersion));
  } catch (error) {
    if (isDatabaseError(error) && error.code === '42P06') throw schemaTaken(connection, own);
    throw error;
  }
}

/**
 * The version of our schema in this database; 0 when it is not there. The catalog is read and not asked
 * by `to_regclass`: that may answer from a cache what was true before the wait for a lock. A ledger of
 * somebody else's, without our column, is none.
 */
export async function installedVersion(connection: Connection, own: OwnSchema): Promise<number> {
  const there = await connection.row(sql`
    select from pg_class c join pg_namespace n on n.oid = c.relnamespace
      join pg_attribute a on a.attrelid = c.oid and a.attname = 'rolled_back_at'
     where n.nspname = ${LOCAL_STATE.schema} and c.relname = 'ledger'`);
  return there === undefined ? 0 : recordedVersion(connection, own);
}

async function recordedVersion(connection: Connection, own: OwnSchema): Promise<number> {
  const row = await connection.row<{ id: number | null }>(
    sql`select max(id) as id from tenantctl.ledger where unit = ${own.ledgerKey} and rolled_back_at is null`,
  );
  return row?.id ?? 0;
}

const NOTHING_OF_OURS: ReadonlySet<string> = new Set(['3F000', '42P01', '42703', '42501']);

/** For what reads a ledger that may not be there, or be somebody else's: then null, and the rest is thrown. */
export function notThere(error: unknown): null {
  if (isDatabaseError(error) && NOTHING_OF_OURS.has(error.code)) return null;
  throw error;
}

const newestKnown = new Map<string, Promise<number>>();

/** The version that this tool brings; its own files do not change while it runs. */
export function newestVersion({ directory: files }: OwnSchema): Promise<number> {
  const known = newestKnown.get(files) ?? listMigrationIds(files).then((ids) => ids.at(-1) ?? 0);
  newestKnown.set(files, known);
  return known;
}

/** @throws conflict `SCHEMA_TAKEN` (exit 5) when the schema is there and nothing in the ledger says that we made it */
export async function assertNotTaken(connection: Connection, own: OwnSchema): Promise<void> {
  if ((await installedVersion(connection, own)) > 0) return;
  const there = await connection.row(sql`select from pg_namespace where nspname = ${own.schema}`);
  if (there !== undefined) throw schemaTaken(connection, own);
}

/** Two installers meet at the lock; the second finds nothing left to do. */
async function installMissing(
  connection: Connection,
  own: OwnSchema,
  files: MigrationFile[],
  toolVersion: string,
): Promise<string[]> {
  await connection.rows(sql`select pg_advisory_xact_lock(${LOCK_CLASS.install}::int, 0)`);
  const present = await installedVersion(connection, own);
  const missing = files.filter(({ id }) => id > present);
  if (missing.length === 0) return [];
  await connection.message(missing.map(({ sql: text }) => `${text}\n;`).join('\n'));
  await connection.execute(
    sql`insert into tenantctl.ledger (unit, id, name, checksum, tool) values ${ledgerRows(own, missing, toolVersion)}`,
  );
  return missing.map(({ name }) => name);
}

function ledgerRows(own: OwnSchema, files: MigrationFile[], toolVersion: string): Sql {
  return join(
    files.map(
      ({ id, name, checksum }) => sql`(${own.ledgerKey}, ${id}::int, ${name}, ${checksum}, ${toolVersion})`,
    ),
  );
}

function schemaTaken(connection: Connection, own: OwnSchema) {
  return conflictError(
    'SCHEMA_TAKEN',
    `Database ${connection.database} has a schema ${own.schema} that tenantctl did not make.`,
    {
      hint: 'Rename that schema, or use another database.',
      facts: { server: connection.server, database: connection.database, schema: own.schema },
    },
  );
}

function toolOutdated(connection: Connection, own: OwnSchema, present: number, known: number) {
  return conflictError(
    'TOOL_OUTDATED',
    `Schema ${own.schema} in database ${connection.database} is at version ${present}; this tenantctl knows version ${known}.`,
    {
      hint: 'A newer tenantctl has been here: upgrade this one. Nothing was changed.',
      facts: { server: connection.server, database: connection.database, schema: own.schema, present, known },
    },
  );
}
