import fc from 'fast-check';
import { TIERS, type Tier } from '../../../src/core/tier.js';
import type { Selector } from '../../../src/core/selector.js';
import type { HealthCheck, UnitOrder, WaveSettings } from '../../../src/core/settings.js';
import type { LaneCaps, PlannableUnit, PlannedUnit, WavePolicy } from '../../../src/engine/waves/plan.js';

const CLUSTERS = ['c0', 'c1', 'c2', 'c3'];
/** The waves that the selectors of generated policies may speak of. */
const NAMES = ['canary', 'early', 'rest'];

export function plannable(
  tier: Tier,
  cluster: string,
  database: string,
  id: string,
  rest: { pages?: number; named?: string[] } = {},
): PlannableUnit {
  const unit = {
    id,
    tier,
    shared: tier === 'pool',
    cluster,
    database,
    schema: 'app',
    ledgerKey: id,
    tenants: [],
    tenantCount: 1,
  };
  return { unit, pages: rest.pages ?? 0, named: new Set(rest.named ?? []) };
}

export const units: fc.Arbitrary<PlannableUnit[]> = fc
  .array(
    fc.record({
      tier: fc.constantFrom(...TIERS),
      cluster: fc.constantFrom(...CLUSTERS),
      database: fc.nat({ max: 6 }),
      pages: fc.oneof(fc.nat({ max: 20 }), fc.nat({ max: 500_000 })),
      named: fc.subarray(NAMES),
    }),
    { maxLength: 120 },
  )
  .map((rows) =>
    rows.map(({ tier, cluster, database, ...rest }, index) =>
      plannable(tier, cluster, `d${database}`, `${tier}:${index}`, rest),
    ),
  );

export interface Caps extends LaneCaps {
  limits: Record<string, number>;
  perDatabase: Record<string, number>;
}

const perCluster = (max: number) =>
  fc
    .tuple(...CLUSTERS.map(() => fc.integer({ min: 1, max })))
    .map((numbers) => Object.fromEntries(CLUSTERS.map((name, index) => [name, numbers[index] as number])));

export const caps: fc.Arbitrary<Caps> = fc
  .record({
    concurrency: fc.integer({ min: 1, max: 24 }),
    limits: perCluster(12),
    perDatabase: perCluster(6),
  })
  .map(({ concurrency, limits, perDatabase }) => ({
    concurrency,
    limits,
    perDatabase,
    cluster: (name) => limits[name] as number,
    database: (cluster) => perDatabase[cluster] as number,
  }));

/** A wave of a policy. */
export const wave = (name: string, rest: Partial<WaveSettings> = {}): WaveSettings => ({
  name,
  select: null,
  max: null,
  percent: null,
  bakeMs: 0,
  approve: false,
  checks: [],
  ...rest,
});

export const policies: fc.Arbitrary<WavePolicy> = fc.record({
  order: fc.constantFrom<UnitOrder>('largest-first', 'smallest-first', 'name'),
  waves: fc.subarray(NAMES).chain((names) =>
    fc.tuple(
      ...names.map((name) =>
        fc.record({
          name: fc.constant(name),
          // What a selector means was found out before: here only whether there is one.
          select: fc.constantFrom<Selector | null>(null, []),
          max: fc.option(fc.integer({ min: 1, max: 30 })),
          percent: fc.option(fc.integer({ min: 1, max: 100 })),
          bakeMs: fc.constant(0),
          approve: fc.boolean(),
          checks: fc.constant<HealthCheck[]>([]),
        }),
      ),
    ),
  ),
});

export const ids = (some: readonly { unit: { id: string } }[]): string[] => some.map(({ unit }) => unit.id);
export const distinct = (values: readonly string[]): number => new Set(values).size;

/** The units of each lane in their order. */
export function lanesOf(planned: readonly PlannedUnit[]): Record<string, string[]> {
  const lanes: Record<string, string[]> = {};
  for (const { lane, unit } of planned) (lanes[lane] ??= []).push(unit.id);
  return lanes;
}
