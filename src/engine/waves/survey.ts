import pLimit from 'p-limit';
import { EXIT, type TenantctlError, isTenantctlError, partialError } from '../../core/errors.js';
import { groupBy } from '../../core/group-by.js';
import type { UnitVersion } from '../../core/unit.js';
import { isOldHome } from '../catalog/holds.js';
import type { UnitRecord } from '../catalog/units.js';
import type { Fleet } from '../context.js';
import { type LedgerEntry, newestOf, readFewLedgers, readLedgers } from '../ledger/entries.js';
import type { Migration } from '../ledger/migration.js';
import { LOCAL_STATE, newestVersion, notThere } from '../ledger/own-schema.js';
import { readAdopted } from '../local/adopted.js';
import type { Connection } from '../../pg/connection.js';
import { type DatabaseError, isDatabaseError } from '../../pg/errors.js';
import { sql } from '../../pg/sql.js';

/** What was found at one unit, read from its own database. */
export interface SurveyedUnit {
  unit: UnitRecord;
  ledger: readonly LedgerEntry[];
  version: UnitVersion | null;
  /** Pages of its tables, as the server last counted them; 0 where its whole database has nothing pending. */
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
  ledger: readonly LedgerEntry[],
) => Pick<SurveyedUnit, 'pending' | 'goal' | 'skip' | 'fault'>;

/** One for all units without a ledger, as units of one history share it. */
const NO_LEDGER: readonly LedgerEntry[] = [];

/**
 * Reads the ledgers of all units, one query a database, on as many connections as each cluster allows, and asks what
 * is to be done with each. Nothing waits for a lock on the tenants' tables.
 * @throws configuration error `MIGRATION_EDITED` (exit 3): the files are wrong for the whole fleet
 * @throws refusal `POOLED_CONNECTION` (exit 6)
 */
export async function surveyUnits(
  fleet: Fleet,
  units: readonly UnitRecord[],
  wish: Wish,
): Promise<SurveyedUnit[]> {
  const clusters = groupBy(units, ({ cluster }) => cluster);
  const surveyed = await Promise.all(
    [...clusters].map(([cluster, inCluster]) => {
      // A cluster that the configuration does not know is a fault of its units.
      const lane = pLimit(fleet.settings.clusters[cluster]?.maxConnections ?? 1);
      const databases = groupBy(inCluster, ({ database }) => database).values();
      return Promise.all([...databases].map((one) => lane(() => surveyDatabase(fleet, one, wish))));
    }),
  );
  return surveyed.flat(2);
}

async function surveyDatabase(fleet: Fleet, units: UnitRecord[], wish: Wish): Promise<SurveyedUnit[]> {
  const { cluster, database } = units[0] as UnitRecord;
  try {
    return await withLedgers(fleet, units, async (connection, ledgers) => {
      const known = await withOldFacts(connection, units);
      const surveyed = known.map((unit) => {
        const ledger = ledgers.get(unit.ledgerKey) ?? NO_LEDGER;
        return { unit, ledger, version: versionOf(ledger), pages: 0, ...wish(unit, ledger) };
      });
      return surveyed.some(({ pending }) => pending.length > 0)
        ? await sized(connection, surveyed)
        : surveyed;
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

type Ledgers = ReadonlyMap<string, readonly LedgerEntry[]>;

/** Up to so many units of a database have their ledgers read as they stand there. */
const FEW = 20;

/**
 * Lends a connection to the database of these units with their ledgers. The tool's own schema has one there as well, so
 * where that is current there is no need to ask for it first: hundreds of databases are asked once each and not twice.
 */
async function withLedgers(
  fleet: Fleet,
  units: readonly UnitRecord[],
  work: (connection: Connection, ledgers: Ledgers) => Promise<SurveyedUnit[]>,
): Promise<SurveyedUnit[]> {
  const { cluster, database } = units[0] as UnitRecord;
  const keys = [LOCAL_STATE.ledgerKey, ...units.map(({ ledgerKey }) => ledgerKey)];
  const read = (connection: Connection): Promise<Ledgers> =>
    units.length <= FEW ? readFewLedgers(connection, keys) : readLedgers(connection);
  const surveyed = await fleet.connections(cluster).use(database, async (connection) => {
    const ledgers = await read(connection).catch(notThere);
    const own = newestOf(ledgers?.get(LOCAL_STATE.ledgerKey) ?? NO_LEDGER);
    if (ledgers === null || own?.id !== (await newestVersion(LOCAL_STATE))) return null;
    fleet.noteCurrent(cluster, database);
    return work(connection, ledgers);
  });
  return (
    surveyed ??
    fleet.managed(cluster, database, async (connection) => work(connection, await read(connection)))
  );
}

/** The catalog has a unit's facts for one place: of an old home, whose tenant has moved on, its own database knows them. */
async function withOldFacts(connection: Connection, units: UnitRecord[]): Promise<UnitRecord[]> {
  if (!units.some(({ id }) => isOldHome(id))) return units;
  const adopted = await readAdopted(connection);
  return units.map((unit) =>
    isOldHome(unit.id) ? { ...unit, adopted: adopted.get(unit.ledgerKey) ?? null } : unit,
  );
}

/** The newest migration of a ledger as a version, or null. */
export function versionOf(ledger: readonly LedgerEntry[]): UnitVersion | null {
  const newest = newestOf(ledger);
  return newest === null ? null : { id: newest.id, name: newest.name };
}

/** The units with their pages, by the catalog's own count: asking for sizes would wait behind a migration's lock. */
async function sized(connection: Connection, surveyed: readonly SurveyedUnit[]): Promise<SurveyedUnit[]> {
  const rows = await connection.rows<{ schema: string; pages: number }>(sql`
    select n.nspname as schema, sum(c.relpages)::float8 as pages
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'm') and c.relpages > 0 group by 1`);
  const pages = new Map(rows.map((row) => [row.schema, row.pages]));
  return surveyed.map((one) => ({ ...one, pages: pages.get(one.unit.schema) ?? 0 }));
}

function unreadable(cluster: string, database: string, cause: DatabaseError): TenantctlError {
  return partialError(
    'LEDGER_UNREADABLE',
    `The ledger in database ${database} of cluster ${cluster} cannot be read: ${cause.message} (SQLSTATE ${cause.code})`,
    { facts: { cluster, database, sqlstate: cause.code }, cause },
  );
}
