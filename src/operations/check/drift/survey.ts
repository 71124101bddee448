import pLimit from 'p-limit';
import { isTenantctlError } from '../../../core/errors.js';
import { groupBy, indexBy } from '../../../core/group-by.js';
import type { UnitVersion } from '../../../core/unit.js';
import type { UnitRecord } from '../../../engine/catalog/units.js';
import type { Fleet } from '../../../engine/context.js';
import { type LedgerEntry, readLedgers } from '../../../engine/ledger/entries.js';
import { hasLocalState } from '../../../engine/local/placements.js';
import { readFingerprints, readShape } from '../../../engine/shape/read.js';
import { versionOf } from '../../../engine/waves/survey.js';
import type { Connection } from '../../../pg/connection.js';
import { isAway, isDatabaseError } from '../../../pg/errors.js';
import { isHeld } from '../../../pg/locks.js';
import { sql } from '../../../pg/sql.js';
import { isSilent } from '../../not-reached.js';
import { stopIfAsked } from '../../stopping.js';
import type { Tally } from '../../tally.js';
import { type FoundState, type StateRule, readStates } from './states.js';

/** A unit that was looked at. */
export interface SeenUnit {
  unit: UnitRecord;
  ledger: readonly LedgerEntry[];
  /** The newest migration that it records. */
  version: UnitVersion | null;
  /** Major version of PostgreSQL: each prints in its own way. */
  major: number;
  fingerprint: string;
  /** Is a migration at work on it now? */
  busy: boolean;
}

/** One that could not be looked at, and why. */
export interface UnseenUnit {
  unit: UnitRecord;
  reason: string;
  /** What is gone stays so; a server that is away may be back; a lock passes by itself; a move has parts of the home set aside; files may not be played. */
  why: 'gone' | 'away' | 'passing' | 'moving' | 'not played';
}

export interface Survey {
  seen: SeenUnit[];
  unseen: UnseenUnit[];
  states: FoundState[];
}

/** Schemas that somebody holds for themselves are waited for, seconds each: so many of a database, no more. */
const WAITED_FOR = 5;

/** Some queries of a part read whole catalogs, so few and large ones. */
const UNITS_OF_A_PART = 500;
const PARTS_AT_MOST = 4;
const NO_BUDGET = { maxConnections: 1, maxPerDatabase: 1 };

const NO_LEDGER: readonly LedgerEntry[] = [];

/**
 * Reads ledgers, fingerprints and states of all units, a few queries for some 500 units of a database; nothing is written, and
 * nothing of ours is brought up to date. What cannot be reached is among the unseen.
 * @throws `LOOK_STOPPED` (exit 130) once somebody wants it to end
 */
export async function surveyFleet(
  fleet: Fleet,
  units: readonly UnitRecord[],
  rules: readonly StateRule[],
  tally: Tally,
): Promise<Survey> {
  const clusters = [...groupBy(units, ({ cluster }) => cluster).values()];
  const parts = await Promise.all(clusters.map((there) => surveyCluster(fleet, there, rules, tally)));
  const flat = parts.flat();
  return {
    seen: flat.flatMap(({ seen }) => seen),
    unseen: flat.flatMap(({ unseen }) => unseen),
    states: flat.flatMap(({ states }) => states),
  };
}

async function surveyCluster(
  fleet: Fleet,
  units: readonly UnitRecord[],
  rules: readonly StateRule[],
  tally: Tally,
): Promise<Survey[]> {
  const [{ cluster }] = units as [UnitRecord];
  // A cluster that the configuration does not know any more is told with each of its units.
  const { maxConnections, maxPerDatabase } = fleet.settings.clusters[cluster] ?? NO_BUDGET;
  const lane = pLimit(maxConnections);
  const databases = [...groupBy(units, ({ database }) => database).values()];
  const silence: { reason?: string } = {};
  tally.databases += databases.length;
  const surveys = await Promise.all(
    databases.map(async (inDatabase) => {
      const looks = partsOf(inDatabase, maxPerDatabase);
      const surveyed = looks.map((part) => lane(() => surveyPart(fleet, part, rules, silence)));
      const done = await Promise.all(surveyed);
      tally.looked += 1;
      return done;
    }),
  );
  return surveys.flat();
}

/** The units of one database, in parts that are looked at side by side: printing shapes is work for one processor each. */
function partsOf(units: readonly UnitRecord[], connections: number): UnitRecord[][] {
  const parts = Math.min(connections, PARTS_AT_MOST, Math.ceil(units.length / UNITS_OF_A_PART));
  const size = Math.ceil(units.length / parts);
  return Array.from({ length: parts }, (_, n) => units.slice(n * size, (n + 1) * size));
}

/**
 * What units of one database have.
 * @param silence why nobody answers on this cluster, as soon as that is known
 */
async function surveyPart(
  fleet: Fleet,
  units: readonly UnitRecord[],
  rules: readonly StateRule[],
  silence: { reason?: string },
): Promise<Survey> {
  const { cluster, database } = units[0] as UnitRecord;
  stopIfAsked(fleet);
  if (silence.reason !== undefined) return noneSeen(units, silence.reason, 'away');
  try {
    return await fleet.connections(cluster).use(database, async (connection) => {
      if (!(await hasLocalState(connection)))
        return noneSeen(units, `database ${database} has no ledger of ours`);
      return lookInside(connection, units, rules);
    });
  } catch (error) {
    stopIfAsked(fleet);
    if (!(isDatabaseError(error) || isTenantctlError(error))) throw error;
    if (isSilent(error)) silence.reason ??= error.message;
    const reason = silence.reason ?? error.message;
    return noneSeen(units, reason, isAway(error) ? 'away' : 'gone');
  }
}

const noneSeen = (units: readonly UnitRecord[], reason: string, why: UnseenUnit['why'] = 'gone'): Survey => ({
  seen: [],
  unseen: units.map((unit) => ({ unit, reason, why })),
  states: [],
});

async function lookInside(
  connection: Connection,
  units: readonly UnitRecord[],
  rules: readonly StateRule[],
): Promise<Survey> {
  const schemas = units.map(({ schema }) => schema);
  const keys = units.map(({ ledgerKey }) => ledgerKey);
  const before = await ledgersNow(connection, keys);
  const { fingerprints, held } = await lookAtShapes(connection, schemas);
  const ledgers = await ledgersNow(connection, keys);
  const major = Math.floor(connection.version / 10_000);
  const survey: Survey = { seen: [], unseen: [], states: [] };
  const aside = await withPartsAside(connection);
  for (const unit of units) {
    if (aside.has(unit.schema)) {
      const reason = 'a move has set triggers or keys of it aside, and has not put them back yet';
      survey.unseen.push({ unit, reason, why: 'moving' });
      continue;
    }
    const fingerprint = fingerprints.get(unit.schema);
    if (fingerprint === undefined) {
      survey.unseen.push({ unit, ...reasonFor(unit, held) });
      continue;
    }
    const ledger = ledgers.get(unit.ledgerKey) ?? NO_LEDGER;
    if (movedOn(before.get(unit.ledgerKey) ?? NO_LEDGER, ledger)) {
      survey.unseen.push({ unit, reason: 'it was migrated while it was looked at', why: 'passing' });
      continue;
    }
    const begun = ledger.some(({ state }) => state === 'started');
    const busy = begun && (await isHeld(connection, 'unit', unit.ledgerKey));
    survey.seen.push({ unit, ledger, version: versionOf(ledger), major, fingerprint, busy });
  }
  const bySchema = indexBy(units, ({ schema }) => schema);
  for (const { unit } of survey.unseen) bySchema.delete(unit.schema);
  survey.states = await readStates(connection, bySchema, rules);
  return survey;
}

const ledgersNow = (connection: Connection, keys: readonly string[]) =>
  connection.transaction(() => readLedgers(connection, keys), 'begin read only');

/** Was a migration applied, or taken back? Then nobody can tell which of the two the shape belongs to. */
function movedOn(before: readonly LedgerEntry[], after: readonly LedgerEntry[]): boolean {
  return before.length !== after.length || versionOf(before)?.id !== versionOf(after)?.id;
}

function reasonFor({ schema }: UnitRecord, held: ReadonlyMap<string, string>): Omit<UnseenUnit, 'unit'> {
  const reason = held.get(schema);
  return reason === undefined
    ? { reason: `schema ${schema} is not there`, why: 'gone' }
    : { reason, why: 'passing' };
}

/** Schemas that look otherwise while a move is at work on them, and after one that did not end. */
async function withPartsAside(connection: Connection): Promise<Set<string>> {
  const there = await connection.row<{ there: boolean }>(
    sql`select to_regclass('tenantctl.set_aside') is not null as there`,
  );
  if (there?.there !== true) return new Set();
  const rows = await connection.rows<{ schema: string }>(sql`
    select distinct n.nspname as schema from tenantctl.set_aside a
      join pg_class c on c.oid = to_regclass(a.relation) join pg_namespace n on n.oid = c.relnamespace`);
  return new Set(rows.map(({ schema }) => schema));
}

/** Fingerprints, and why there is none of a schema that somebody holds. */
async function lookAtShapes(connection: Connection, schemas: readonly string[]) {
  const { fingerprints, busy } = await readFingerprints(connection, schemas);
  const held = new Map(
    busy.map((schema) => [schema, `schema ${schema} is being changed by another session`]),
  );
  for (const schema of busy.slice(0, WAITED_FOR)) {
    const shape = await readShape(connection, schema).catch((error: unknown) => {
      if (!isDatabaseError(error)) throw error;
      held.set(schema, `schema ${schema} could not be read: ${error.message}`);
      return undefined;
    });
    if (shape !== undefined) fingerprints.set(schema, shape.fingerprint);
  }
  return { fingerprints, held };
}
