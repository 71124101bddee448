import { newestOf, readLedger } from '../../engine/ledger/entries.js';
import { type Migration, migrationsFor } from '../../engine/ledger/migration.js';
import type { Connection } from '../../pg/connection.js';
import { loadFleetMigrations } from '../migrations.js';
import type { Drive, End } from './drive.js';

/**
 * The newest migration that a home has of those that both tiers get: a file for one tier only does not set the two
 * homes apart.
 */
export async function versionAt(drive: Drive, { unit }: End, session: Connection): Promise<number> {
  const common = new Set((await commonMigrations(drive)).map(({ id }) => id));
  const ledger = await readLedger(session, unit);
  return newestOf(ledger.filter(({ id }) => common.has(id)))?.id ?? 0;
}

/** The same for a home whose database nobody has opened yet. */
export function versionOf(drive: Drive, end: End): Promise<number> {
  const { cluster, database } = end.home.placement;
  return drive.fleet.managed(cluster, database, (session) => versionAt(drive, end, session));
}

/** What the move was planned at. */
export async function plannedVersion(drive: Drive): Promise<number> {
  const planned = drive.move.version ?? 0;
  return (await commonMigrations(drive)).findLast(({ id }) => id <= planned)?.id ?? 0;
}

/** Every migration that the move was planned with. */
export async function migrationsUpTo({ fleet, move }: Drive): Promise<Migration[]> {
  const migrations = await loadFleetMigrations(fleet);
  return migrations.filter(({ id }) => id <= (move.version ?? 0));
}

async function commonMigrations({ fleet, move }: Drive): Promise<Migration[]> {
  return migrationsFor(migrationsFor(await loadFleetMigrations(fleet), move.from.tier), move.to.tier);
}
