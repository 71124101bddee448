import { groupBy } from '../../core/group-by.js';
import type { UnitOrder, WaveSettings } from '../../core/settings.js';
import type { MigrationUnit } from '../../core/unit.js';

/** A unit that is to be given a place in a run. */
export interface PlannableUnit {
  unit: MigrationUnit;
  /** Pages of its tables: what makes one unit slower than another. */
  pages: number;
  /** The waves of the policy whose selector means this unit. */
  named: ReadonlySet<string>;
}

/** A unit with its place in a run. */
export interface PlannedUnit {
  unit: MigrationUnit;
  pages: number;
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

export interface WavePolicy {
  order: UnitOrder;
  waves: readonly WaveSettings[];
}

/** The last wave: a pool is many tenants at once, so it comes when every other unit has shown that it can be done. */
export const POOL_WAVE = 'pools';
/** What the policy's waves leave over. */
const REST_WAVE = 'rest';

/**
 * Lays units out in waves and lanes. Pure: the same units give the same plan. Every unit is in exactly
 * one wave and one lane; a lane is serial and stays on one cluster, so that the number of lanes is the
 * number of connections. A pool is in the wave whose selector names it, otherwise in the last.
 */
export function planWaves(
  units: readonly PlannableUnit[],
  policy: WavePolicy,
  caps: LaneCaps,
): PlannedWave[] {
  const left = new Set(units);
  const waves = policy.waves.map((wave, index) => {
    const first = index === 0 && policy.waves.length > 1;
    const taken = takeWave([...left], units.length, wave, first ? 'smallest-first' : policy.order);
    for (const unit of taken) left.delete(unit);
    return { name: wave.name, units: taken };
  });
  const rest = inOrder([...left], policy.order);
  const names = leftOverNames(policy);
  waves.push(
    { name: names.rest, units: rest.filter(({ unit }) => !unit.shared) },
    { name: names.pools, units: rest.filter(({ unit }) => unit.shared) },
  );
  return waves
    .filter(({ units: taken }) => taken.length > 0)
    .map(({ name, units: taken }) => ({ name, units: assignLanes(taken, caps) }));
}

/** The waves that a policy may lead to by name, in their order; one without a unit that is behind is left out of a run. */
export function waveNames(policy: Pick<WavePolicy, 'waves'>): string[] {
  const { rest, pools } = leftOverNames(policy);
  return [...policy.waves.map(({ name }) => name), rest, pools];
}

/** Appends what came up while the run went on as a wave of its own. */
export function planLateWave(
  units: readonly PlannableUnit[],
  order: UnitOrder,
  caps: LaneCaps,
): PlannedUnit[] {
  return assignLanes(inOrder(units, order), caps);
}

function takeWave(
  left: readonly PlannableUnit[],
  total: number,
  { name, select, max, percent }: WaveSettings,
  order: UnitOrder,
): PlannableUnit[] {
  const candidates = left.filter(({ unit, named }) => (select === null ? !unit.shared : named.has(name)));
  const share = percent === null ? Infinity : Math.ceil((total * percent) / 100);
  return inOrder(candidates, order).slice(0, Math.min(max ?? Infinity, share));
}

function inOrder(units: readonly PlannableUnit[], order: UnitOrder): PlannableUnit[] {
  const byName = (a: PlannableUnit, b: PlannableUnit) => (a.unit.id < b.unit.id ? -1 : 1);
  const sign = order === 'largest-first' ? -1 : 1;
  return [...units].sort((a, b) =>
    order === 'name' ? byName(a, b) : sign * (a.pages - b.pages) || byName(a, b),
  );
}

/** A wave of the policy may be called like one of ours and still leave something over. */
function leftOverNames({ waves }: Pick<WavePolicy, 'waves'>): { rest: string; pools: string } {
  const named = new Set(waves.map(({ name }) => name));
  return { rest: freeName(REST_WAVE, named), pools: freeName(POOL_WAVE, named) };
}

function freeName(name: string, taken: ReadonlySet<string>): string {
  return taken.has(name) ? freeName(`${name}-2`, taken) : name;
}

function assignLanes(units: readonly PlannableUnit[], caps: LaneCaps): PlannedUnit[] {
  const clusters = [...groupBy(units, ({ unit }) => unit.cluster)];
  const lanes = fairShares(
    clusters.map(([cluster]) => caps.cluster(cluster)),
    caps.concurrency,
  );
  const planned = clusters.flatMap(([cluster, ofCluster], index) =>
    spread(cluster, ofCluster, lanes[index] as number, caps.database(cluster)),
  );
  return planned.map((place, ordinal) => ({ ...place, ordinal }));
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

/** What a unit costs beside its pages, in pages: locks, ledger and catalog work of a small tenant. */
const FIXED_COST = 100;

/**
 * Gives the units of one cluster to its lanes. A database may use only so many of them, and within a
 * lane its units stand together, so that a connection is used again for all of them. The largest are
 * given first, each to the lane with the least to do, so that a large one does not hold up others that
 * could run beside it; their order within the lane stays that of the policy.
 */
function spread(cluster: string, units: readonly PlannableUnit[], lanes: number, perDatabase: number) {
  const load = Array.from({ length: lanes }, () => 0);
  const laneOf = new Map<PlannableUnit, number>();
  const databases = [...groupBy(units, ({ unit }) => unit.database).values()];
  for (const inDatabase of largestFirst(databases, (some) =>
    some.reduce((sum, one) => sum + costOf(one), 0),
  )) {
    const open = leastLoaded(load, Math.min(perDatabase, lanes));
    for (const unit of largestFirst(inDatabase, costOf)) {
      const lane = open.reduce((least, other) =>
        (load[other] as number) < (load[least] as number) ? other : least,
      );
      load[lane] = (load[lane] as number) + costOf(unit);
      laneOf.set(unit, lane);
    }
  }
  return databases
    .flat()
    .map((one) => ({ unit: one.unit, pages: one.pages, lane: `${cluster}#${laneOf.get(one)}` }));
}

function costOf({ pages }: PlannableUnit): number {
  return FIXED_COST + pages;
}

function largestFirst<T>(list: readonly T[], size: (one: T) => number): T[] {
  return list
    .map((one) => ({ one, size: size(one) }))
    .sort((a, b) => b.size - a.size)
    .map(({ one }) => one);
}

function leastLoaded(load: readonly number[], count: number): number[] {
  return load
    .map((cost, lane) => ({ cost, lane }))
    .sort((a, b) => a.cost - b.cost || a.lane - b.lane)
    .slice(0, count)
    .map(({ lane }) => lane);
}
