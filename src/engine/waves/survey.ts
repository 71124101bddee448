import pLimit from 'p-limit';
import { EXIT, type TenantctlError, isTenantctlError, partialError } from '../../core/errors.js';
import { groupBy } from '../../core/group-by.js';
import type { UnitVersion } from '../../core/unit.js';
import type { UnitRecord } from '../catalog/units.js';
import type { Fleet } from '../context.js';
import { type LedgerEntry, newestOf, readLedgers } from '../ledger/entries.js';
import type { Migration } from '../ledger/migration.js';
import type { Connection } from '../../pg/connection.js';
import { type DatabaseError, isDatabaseError } from '../../pg/errors.js';
import { sql } from '../../pg/sql.js';

/** What was found at one unit, read from its own database. */
export interface SurveyedUnit {
  unit: UnitRecord;
  ledger: LedgerEntry[];
  version: UnitVersion | null;
  /** Pages of its tables, as the server last counted them. */
  pages: number;
  /** What is to be run on it, in order: migrations that it lacks, or ways back. */
  pending: Migration[];
  /** The version it has when that is done. */
  goal: UnitVersion | null;
  /** Why it is left out of the run, or null. */
  skip: string | null;
  /** Why it cannot be migrated, or null. */
  fault: TenantctlError | null;
}

/** What a kind of run wants of a unit, given its ledger. */
export type Wish = (
  unit: UnitRecord,
  ledger: LedgerEntry[],
) => Pick<SurveyedUnit, 'pending' | 'goal' | 'skip' | 'fault'>;

/**
 * Reads the ledgers of all units, one query a database, and asks what is to be done with each. Nothing
 * waits for a lock on the tenants' tables.
 * @throws configuration error `MIGRATION_EDITED` (exit 3): the files are wrong for the whole fleet
 * @throws refusal `POOLED_CONNECTION` (exit 6)
 */
export async function surveyUnits(
  fleet: Fleet,
  units: readonly UnitRecord[],
  wish: Wish,
): Promise<SurveyedUnit[]> {
  const lane = pLimit(fleet.settings.rollout.concurrency);
  const byDatabase = groupBy(units, ({ cluster, database }) => `${cluster}\n${database}`);
  const surveyed = await Promise.all(
    [...byDatabase.values()].map((inDatabase) => lane(() => surveyDatabase(fleet, inDatabase, wish))),
  );
  return surveyed.flat();
}

async function surveyDatabase(fleet: Fleet, units: UnitRecord[], wish: Wish): Promise<SurveyedUnit[]> {
  const { cluster, database } = units[0] as UnitRecord;
  try {
    const { ledgers, pages } = await fleet.managed(cluster, database, async (connection) => ({
      ledgers: await readLedgers(connection),
      pages: await readPages(connection),
    }));
    return units.map((unit) => {
      const ledger = ledgers.get(unit.ledgerKey) ?? [];
      return {
        unit,
        ledger,
        version: versionOf(ledger),
        pages: pages.get(unit.schema) ?? 0,
        ...wish(unit, ledger),
      };
    });
  } catch (error) {
    // One database that cannot be reached or read is the fault of its units; the others are surveyed all the
    // same. Files that were edited are wrong for all of them, and a pooler in front of a cluster is a mistake in the configuration.
    if (isTenantctlError(error) && (error.exit === EXIT.config || error.exit === EXIT.refused)) throw error;
    const fault = isDatabaseError(error) ? unreadable(cluster, database, error) : error;
    if (!isTenantctlError(fault)) throw error;
    return units.map((unit) => ({
      unit,
      ledger: [],
      version: unit.version,
      pages: 0,
      pending: [],
      goal: null,
      skip: null,
      fault,
    }));
  }
}

/** The newest migration of a ledger as a version, or null. */
export function versionOf(ledger: readonly LedgerEntry[]): UnitVersion | null {
  const newest = newestOf(ledger);
  return newest === null ? null : { id: newest.id, name: newest.name };
}

/** Pages by schema, from the catalog's own count: asking for sizes would wait behind a migration's lock. */
async function readPages(connection: Connection): Promise<Map<string, number>> {
  const rows = await connection.rows<{ schema: string; pages: number }>(sql`
    select n.nspname as schema, sum(c.relpages)::float8 as pages
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'm') and c.relpages > 0 group by 1`);
  return new Map(rows.map(({ schema, pages }) => [schema, pages]));
}

function unreadable(cluster: string, database: string, cause: DatabaseError): TenantctlError {
  return partialError(
    'LEDGER_UNREADABLE',
    `The ledger in database ${database} of cluster ${cluster} cannot be read: ${cause.message} (SQLSTATE ${cause.code})`,
    { facts: { cluster, database, sqlstate: cause.code }, cause },
  );
}
