import pLimit from 'p-limit';
import { EXIT, type TenantctlError, isTenantctlError, partialError } from '../../core/errors.js';
import { groupBy } from '../../core/group-by.js';
import type { UnitVersion } from '../../core/unit.js';
import type { UnitRecord } from '../catalog/units.js';
import type { Fleet } from '../context.js';
import { type LedgerEntry, newestOf, pendingOf, readLedgers } from '../ledger/entries.js';
import { type Migration, migrationsFor } from '../ledger/migration.js';
import { type DatabaseError, isDatabaseError } from '../../pg/errors.js';

/** What was found at one unit, read from its own database. */
export interface SurveyedUnit {
  unit: UnitRecord;
  ledger: LedgerEntry[];
  version: UnitVersion | null;
  /** The migrations of its tier up to the target, or to where it is pinned. */
  migrations: Migration[];
  pending: Migration[];
  /** Why it is left out of the run, or null. */
  skip: string | null;
  /** Why it cannot be migrated, or null. */
  fault: TenantctlError | null;
}

/**
 * Reads the ledgers of all units, one query a database, and compares them with the files.
 * @param upTo the id of the newest migration wanted
 * @throws configuration error `MIGRATION_EDITED` (exit 3): the files are wrong for the whole fleet
 */
export async function surveyUnits(
  fleet: Fleet,
  units: readonly UnitRecord[],
  migrations: readonly Migration[],
  upTo: number,
): Promise<SurveyedUnit[]> {
  const lane = pLimit(fleet.settings.rollout.concurrency);
  const byDatabase = groupBy(units, ({ cluster, database }) => `${cluster}\n${database}`);
  const surveyed = await Promise.all(
    [...byDatabase.values()].map((inDatabase) =>
      lane(() => surveyDatabase(fleet, inDatabase, migrations, upTo)),
    ),
  );
  return surveyed.flat();
}

async function surveyDatabase(
  fleet: Fleet,
  units: UnitRecord[],
  migrations: readonly Migration[],
  upTo: number,
): Promise<SurveyedUnit[]> {
  const { cluster, database } = units[0] as UnitRecord;
  try {
    const ledgers = await fleet.managed(cluster, database, readLedgers);
    return units.map((unit) => surveyUnit(unit, ledgers.get(unit.ledgerKey) ?? [], migrations, upTo));
  } catch (error) {
    // One database that cannot be reached or read is the fault of its units; the others are surveyed all the
    // same. Files that were edited are wrong for all of them.
    if (isTenantctlError(error) && error.exit === EXIT.config) throw error;
    const fault = isDatabaseError(error) ? unreadable(cluster, database, error) : error;
    if (!isTenantctlError(fault)) throw error;
    return units.map((unit) => ({
      unit,
      ledger: [],
      version: unit.version,
      migrations: [],
      pending: [],
      skip: null,
      fault,
    }));
  }
}

function unreadable(cluster: string, database: string, cause: DatabaseError): TenantctlError {
  return partialError(
    'LEDGER_UNREADABLE',
    `The ledger in database ${database} of cluster ${cluster} cannot be read: ${cause.message} (SQLSTATE ${cause.code})`,
    { facts: { cluster, database, sqlstate: cause.code }, cause },
  );
}

function surveyUnit(
  unit: UnitRecord,
  ledger: LedgerEntry[],
  all: readonly Migration[],
  upTo: number,
): SurveyedUnit {
  const ofTier = migrationsFor(all, unit.tier);
  const wanted = ofTier.filter(({ id }) => id <= upTo);
  const allowed = wanted.filter(({ id }) => unit.pinnedTo === null || id <= unit.pinnedTo);
  const newest = newestOf(ledger);
  const version = newest === null ? null : { id: newest.id, name: newest.name };
  const base = { unit, ledger, version, migrations: allowed };
  try {
    const lacking = pendingOf(unit, ofTier, ledger);
    const pending = lacking.filter((file) => allowed.includes(file));
    const held = lacking.some((file) => wanted.includes(file) && !allowed.includes(file));
    return { ...base, pending, skip: skipReason(unit, pending.length > 0, held), fault: null };
  } catch (error) {
    if (isTenantctlError(error) && error.code === 'UNIT_AHEAD')
      return { ...base, pending: [], skip: null, fault: error };
    throw error;
  }
}

function skipReason(unit: UnitRecord, pending: boolean, held: boolean): string | null {
  if (pending && unit.moving) return 'a tenant of it is being moved';
  if (!pending && held) return `pinned at migration ${unit.pinnedTo}`;
  return null;
}
