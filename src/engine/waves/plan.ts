import { groupBy } from '../../core/group-by.js';
import type { MigrationUnit } from '../../core/unit.js';

/** A unit with its place in a run. */
export interface PlannedUnit {
  unit: MigrationUnit;
  lane: string;
  /** Its turn within the wave, from 0. */
  ordinal: number;
}

/** Units that run together; the next wave begins when this one has ended. */
export interface PlannedWave {
  name: string;
  units: PlannedUnit[];
}

/** How many connections a run may hold at once: in all, to one cluster, to one database. */
export interface LaneCaps {
  concurrency: number;
  cluster: (name: string) => number;
  database: (cluster: string) => number;
}

/** The last wave: a pool is many tenants at once, so it comes when every other unit has shown that it can be done. */
export const POOL_WAVE = 'pools';
const FIRST_WAVE = 'rest';

/**
 * Lays units out in waves and lanes. Pure: the same units give the same plan. Every unit is in exactly
 * one wave and one lane; a lane is serial and stays on one cluster, so that the number of lanes is the
 * number of connections.
 */
export function planWaves(units: readonly MigrationUnit[], caps: LaneCaps): PlannedWave[] {
  const pools = units.filter(({ shared }) => shared);
  const others = units.filter(({ shared }) => !shared);
  return [
    { name: FIRST_WAVE, units: assignLanes(others, caps) },
    { name: POOL_WAVE, units: assignLanes(pools, caps) },
  ].filter(({ units: planned }) => planned.length > 0);
}

function assignLanes(units: readonly MigrationUnit[], caps: LaneCaps): PlannedUnit[] {
  const clusters = [...groupBy(units, ({ cluster }) => cluster)];
  const lanesLeft = fairShares(
    clusters.map(([cluster]) => caps.cluster(cluster)),
    caps.concurrency,
  );
  const planned = clusters.flatMap(([cluster, ofCluster], index) =>
    spread(cluster, ofCluster, lanesLeft[index] as number, caps.database(cluster)),
  );
  return planned.map(({ unit, lane }, ordinal) => ({ unit, lane, ordinal }));
}

/** Splits a budget over clusters round by round; each gets at least one lane and no more than its own cap. */
function fairShares(limits: readonly number[], budget: number): number[] {
  const shares = limits.map(() => 1);
  let left = budget - shares.length;
  while (left > 0) {
    const growing = limits.flatMap((limit, index) => ((shares[index] as number) < limit ? [index] : []));
    if (growing.length === 0) break;
    for (const index of growing.slice(0, left)) shares[index] = (shares[index] as number) + 1;
    left -= growing.length;
  }
  return shares;
}

/**
 * Gives the units of one cluster to its lanes. A database may use only so many of them, and within a
 * lane its units stand together, so that a connection is used again for all of them.
 */
function spread(cluster: string, units: readonly MigrationUnit[], lanes: number, perDatabase: number) {
  const load = Array.from({ length: lanes }, () => 0);
  const databases = [...groupBy(units, ({ database }) => database).values()];
  return databases.flatMap((inDatabase) => {
    const open = leastLoaded(load, Math.min(perDatabase, lanes));
    return inDatabase.map((unit, index) => {
      const lane = open[index % open.length] as number;
      load[lane] = (load[lane] as number) + 1;
      return { unit, lane: `${cluster}#${lane}` };
    });
  });
}

function leastLoaded(load: readonly number[], count: number): number[] {
  return load
    .map((units, lane) => ({ units, lane }))
    .sort((a, b) => a.units - b.units || a.lane - b.lane)
    .slice(0, count)
    .map(({ lane }) => lane);
}
