import pLimit from 'p-limit';
import { isTenantctlError } from '../../core/errors.js';
import { groupBy, indexBy } from '../../core/group-by.js';
import { majorVersion } from '../../core/major-version.js';
import { type MigrationUnit, type UnitVersion, databaseKey } from '../../core/unit.js';
import { isAway, isDatabaseError } from '../../pg/errors.js';
import type { Fleet } from '../context.js';
import { differencesOf, untolerated } from './difference.js';
import { readFingerprints, readShape } from './read.js';
import type { SeenUnit, ShapeReferences } from './references.js';
import type { Shape } from './shape.js';

/** A unit that a run has just brought to a version. */
export interface MigratedUnit {
  unit: MigrationUnit;
  version: UnitVersion;
}

/**
 * Proves that units look as they should: compares each with the reference of its tier, version and
 * PostgreSQL. The fingerprints of a database are read together, so call it with many units at once.
 *
 * @returns for each unit that looks otherwise, or could not be looked at, why, in sentences; by unit id
 * @throws connection error (exit 4) when a server is away: that says nothing about its units
 */
export async function proveShapes(
  fleet: Fleet,
  batch: readonly MigratedUnit[],
  references: ShapeReferences,
): Promise<Map<string, string[]>> {
  const faults = new Map<string, string[]>();
  const lane = pLimit(fleet.settings.rollout.concurrency);
  const byDatabase = groupBy(batch, ({ unit }) => databaseKey(unit));
  const seen = await Promise.all(
    [...byDatabase.values()].map((units) => lane(() => seeDatabase(fleet, units, references, faults))),
  );
  for (const alike of groupBy(seen.flat(), ({ key }) => `${key.tier} ${key.major} ${key.digest}`).values())
    await compare(fleet, alike, references, faults);
  return faults;
}

/** Reads the fingerprints of units in one database; what cannot be read is a fault of its own units. */
async function seeDatabase(
  fleet: Fleet,
  batch: readonly MigratedUnit[],
  references: ShapeReferences,
  faults: Map<string, string[]>,
): Promise<SeenUnit[]> {
  const { cluster, database } = (batch[0] as MigratedUnit).unit;
  const unreadable = (units: readonly MigratedUnit[], error: unknown): void => {
    if (isAway(error) || (!isDatabaseError(error) && !isTenantctlError(error))) throw error;
    for (const { unit } of units) faults.set(unit.id, [`its shape could not be read: ${error.message}`]);
  };
  try {
    return await fleet.managed(cluster, database, async (connection) => {
      const bySchema = indexBy(batch, ({ unit }) => unit.schema);
      const looks = references.looksAt(cluster, database);
      const { fingerprints, busy } = await readFingerprints(connection, [...bySchema.keys()], looks);
      await looks.keep(connection);
      for (const schema of busy) {
        const shape = await readShape(connection, schema).catch((error: unknown) =>
          unreadable([bySchema.get(schema) as MigratedUnit], error),
        );
        if (shape) fingerprints.set(schema, shape.fingerprint);
      }
      const major = majorVersion(connection.version);
      return seenUnits(batch, fingerprints, major, references, faults);
    });
  } catch (error) {
    unreadable(batch, error);
    return [];
  }
}

async function seenUnits(
  batch: readonly MigratedUnit[],
  fingerprints: ReadonlyMap<string, string>,
  major: number,
  references: ShapeReferences,
  faults: Map<string, string[]>,
): Promise<SeenUnit[]> {
  const seen: SeenUnit[] = [];
  for (const { unit, version } of batch) {
    const fingerprint = fingerprints.get(unit.schema);
    if (fingerprint !== undefined)
      seen.push({ unit, key: await references.keyOf(unit, version, major), fingerprint });
    else if (!faults.has(unit.id)) faults.set(unit.id, [`schema ${unit.schema} is not there`]);
  }
  return seen;
}

/** Units that look alike differ alike: one of each sort is read. */
async function compare(
  fleet: Fleet,
  seen: readonly SeenUnit[],
  references: ShapeReferences,
  faults: Map<string, string[]>,
): Promise<void> {
  const read = (unit: MigrationUnit): Promise<Shape | undefined> =>
    fleet.managed(unit.cluster, unit.database, (connection) => readShape(connection, unit.schema));
  const reference = await references.settle(seen, read);
  const others = seen.filter(({ fingerprint }) => fingerprint !== reference?.shape.fingerprint);
  for (const alike of groupBy(others, ({ fingerprint }) => fingerprint).values()) {
    const first = (alike[0] as SeenUnit).unit;
    const wordsOf =
      reference === null
        ? always([await undecided(references, seen)])
        : wordsFor(reference.shape, await read(first));
    for (const { unit } of alike) {
      const words = wordsOf(unit);
      if (words.length > 0) faults.set(unit.id, words);
    }
  }
}

type Words = (unit: MigrationUnit) => string[];
const always =
  (words: string[]): Words =>
  () =>
    words;

/** A unit that meanwhile looks like the reference has no words; one that was adopted as it is has none for what was accepted then. */
function wordsFor(reference: Shape, actual: Shape | undefined): Words {
  if (actual === undefined) return always(['its schema was dropped while it was looked at']);
  const differences = differencesOf(reference, actual);
  return ({ adopted }) => untolerated(differences, adopted?.tolerated).map(({ text }) => text);
}

async function undecided(references: ShapeReferences, seen: readonly SeenUnit[]): Promise<string> {
  const reason = await references.reasonNotPlayed(seen[0] as SeenUnit);
  return `the units of its tier differ, and the files cannot tell who is right, as they cannot be played on an empty schema: ${reason}`;
}
