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
  /** Does it pass by itself? */
  passing: boolean;
}

export interface Survey {
  seen: SeenUnit[];
  unseen: UnseenUnit[];
  states: FoundState[];
}

/** Schemas that somebody holds for themselves are waited for, seconds each: so many of a database, no more. */
const WAITED_FOR = 5;

const NO_LEDGER: readonly LedgerEntry[] = [];

/**
 * Reads ledgers, fingerprints and states of all units, a few queries a database, whatever the number of units; nothing is written, and
 * nothing of ours is brought up to date.
 * @throws connection error (exit 4) when a server is away: that says nothing about its units
 */
export async function surveyFleet(
  fleet: Fleet,
  units: readonly UnitRecord[],
  rules: readonly StateRule[],
): Promise<Survey> {
  const clusters = groupBy(units, ({ cluster }) => cluster);
  const parts = await Promise.all(
    [...clusters].map(([cluster, inCluster]) => {
      const lane = pLimit(fleet.settings.clusters[cluster]?.maxConnections ?? 1);
      const databases = groupBy(inCluster, ({ database }) => database).values();
      return Promise.all([...databases].map((one) => lane(() => surveyDatabase(fleet, one, rules))));
    }),
  );
  const flat = parts.flat();
  return {
    seen: flat.flatMap(({ seen }) => seen),
    unseen: flat.flatMap(({ unseen }) => unseen),
    states: flat.flatMap(({ states }) => states),
  };
}

async function surveyDatabase(
  fleet: Fleet,
  units: readonly UnitRecord[],
  rules: readonly StateRule[],
): Promise<Survey> {
  const { cluster, database } = units[0] as UnitRecord;
  try {
    return await fleet.connections(cluster).use(database, async (connection) => {
      if (!(await hasLocalState(connection)))
        return noneSeen(units, `database ${database} has no ledger of ours`);
      return lookInside(connection, units, rules);
    });
  } catch (error) {
    if (isAway(error) || !(isDatabaseError(error) || isTenantctlError(error))) throw error;
    return noneSeen(units, error.message);
  }
}

const noneSeen = (units: readonly UnitRecord[], reason: string): Survey => ({
  seen: [],
  unseen: units.map((unit) => ({ unit, reason, passing: false })),
  states: [],
});

async function lookInside(
  connection: Connection,
  units: readonly UnitRecord[],
  rules: readonly StateRule[],
): Promise<Survey> {
  const schemas = units.map(({ schema }) => schema);
  const ledgers = await connection.transaction(() => readLedgers(connection), 'begin read only');
  const { fingerprints, held } = await lookAtShapes(connection, schemas);
  const major = Math.floor(connection.version / 10_000);
  const survey: Survey = { seen: [], unseen: [], states: [] };
  for (const unit of units) {
    const fingerprint = fingerprints.get(unit.schema);
    if (fingerprint === undefined) {
      survey.unseen.push({ unit, ...reasonFor(unit, held) });
      continue;
    }
    const ledger = ledgers.get(unit.ledgerKey) ?? NO_LEDGER;
    const begun = ledger.some(({ state }) => state === 'started');
    const busy = begun && (await isHeld(connection, 'unit', unit.ledgerKey));
    survey.seen.push({ unit, ledger, version: versionOf(ledger), major, fingerprint, busy });
  }
  const bySchema = indexBy(units, ({ schema }) => schema);
  survey.states = await readStates(connection, bySchema, rules);
  return survey;
}

function reasonFor({ schema }: UnitRecord, held: ReadonlyMap<string, string>): Omit<UnseenUnit, 'unit'> {
  const reason = held.get(schema);
  return reason === undefined
    ? { reason: `schema ${schema} is not there`, passing: false }
    : { reason, passing: true };
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
