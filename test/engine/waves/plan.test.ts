import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { groupBy } from '../../../src/core/group-by.js';
import { TIERS, type Tier } from '../../../src/core/tier.js';
import type { MigrationUnit } from '../../../src/core/unit.js';
import { type LaneCaps, POOL_WAVE, planWaves } from '../../../src/engine/waves/plan.js';

const CLUSTERS = ['c0', 'c1', 'c2', 'c3'];

function unit(tier: Tier, cluster: string, database: string, index: number): MigrationUnit {
  const id = `${tier}:${index}`;
  return {
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
}

const units = fc
  .array(fc.tuple(fc.constantFrom(...TIERS), fc.constantFrom(...CLUSTERS), fc.nat({ max: 6 })), {
    maxLength: 120,
  })
  .map((rows) => rows.map(([tier, cluster, database], index) => unit(tier, cluster, `d${database}`, index)));

interface Caps extends LaneCaps {
  limits: Record<string, number>;
  perDatabase: Record<string, number>;
}

const perCluster = (max: number) =>
  fc
    .tuple(...CLUSTERS.map(() => fc.integer({ min: 1, max })))
    .map((numbers) => Object.fromEntries(CLUSTERS.map((name, index) => [name, numbers[index] as number])));

const caps: fc.Arbitrary<Caps> = fc
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

/** Looks at every wave of many plans. */
function everyWave(look: (wave: ReturnType<typeof planWaves>[number], caps: Caps) => void): void {
  fc.assert(
    fc.property(units, caps, (some, limits) => {
      for (const wave of planWaves(some, limits)) look(wave, limits);
    }),
  );
}

const distinct = (values: string[]): number => new Set(values).size;

describe('a plan of waves', () => {
  test('holds every unit exactly once', () => {
    fc.assert(
      fc.property(units, caps, (some, limits) => {
        const planned = planWaves(some, limits).flatMap((wave) => wave.units.map((one) => one.unit.id));
        expect(planned.sort()).toEqual(some.map(({ id }) => id).sort());
      }),
    );
  });

  test('has pools in the last wave and no empty wave', () => {
    fc.assert(
      fc.property(units, caps, (some, limits) => {
        const waves = planWaves(some, limits);
        for (const wave of waves) expect(wave.units.length).toBeGreaterThan(0);
        for (const [index, wave] of waves.entries()) {
          const last = index === waves.length - 1 && wave.name === POOL_WAVE;
          expect(wave.units.map(({ unit: { tier } }) => tier === 'pool')).toEqual(wave.units.map(() => last));
        }
      }),
    );
  });

  test('uses no more lanes on a cluster than it allows', () => {
    everyWave((wave, { limits }) => {
      for (const [cluster, ofCluster] of groupBy(wave.units, ({ unit: { cluster } }) => cluster))
        expect(distinct(ofCluster.map(({ lane }) => lane))).toBeLessThanOrEqual(limits[cluster] as number);
    });
  });

  test('uses no more lanes in all than asked for, but at least one for each cluster', () => {
    everyWave((wave, { concurrency }) => {
      const clusters = distinct(wave.units.map(({ unit: { cluster } }) => cluster));
      const lanes = distinct(wave.units.map(({ lane }) => lane));
      expect(lanes).toBeLessThanOrEqual(Math.max(concurrency, clusters));
      expect(lanes).toBeGreaterThanOrEqual(clusters);
    });
  });

  test('uses no more lanes on a database than it allows', () => {
    everyWave((wave, { perDatabase }) => {
      const databases = groupBy(wave.units, ({ unit: { cluster, database } }) => `${cluster}/${database}`);
      for (const inDatabase of databases.values()) {
        const cap = perDatabase[(inDatabase[0] as (typeof inDatabase)[0]).unit.cluster] as number;
        expect(distinct(inDatabase.map(({ lane }) => lane))).toBeLessThanOrEqual(cap);
      }
    });
  });

  test('keeps a lane on one cluster, and the units of a database together in it', () => {
    everyWave((wave) => {
      for (const lane of groupBy(wave.units, ({ lane: name }) => name).values()) {
        expect(distinct(lane.map(({ unit: { cluster } }) => cluster))).toBe(1);
        const databases = lane.map(({ unit: { database } }) => database);
        const turns = databases.filter((database, index) => database !== databases[index - 1]);
        expect(turns).toHaveLength(distinct(databases));
      }
    });
  });

  test('numbers the units of a wave in their order', () => {
    everyWave((wave) => {
      expect(wave.units.map(({ ordinal }) => ordinal)).toEqual(wave.units.map((_, index) => index));
    });
  });

  test('is the same for the same units', () => {
    fc.assert(
      fc.property(units, caps, (some, limits) => {
        expect(planWaves(structuredClone(some), limits)).toEqual(planWaves(some, limits));
      }),
    );
  });

  test('spreads the units of one database evenly over its lanes', () => {
    const many = Array.from({ length: 100 }, (_, index) => unit('schema', 'c0', 'd0', index));
    const [wave] = planWaves(many, { concurrency: 8, cluster: () => 20, database: () => 4 });
    const lanes = [...groupBy(wave?.units ?? [], ({ lane }) => lane).values()];
    expect(lanes.map((lane) => lane.length)).toEqual([25, 25, 25, 25]);
  });

  test('gives lanes that a small cluster cannot use to the others', () => {
    const many = ['c0', 'c1'].flatMap((cluster, half) =>
      Array.from({ length: 50 }, (_, index) => unit('database', cluster, `d${index}`, half * 50 + index)),
    );
    const limits = { concurrency: 10, cluster: (name: string) => (name === 'c0' ? 2 : 9), database: () => 5 };
    const lanes = planWaves(many, limits)[0]?.units.map(({ lane }) => lane) ?? [];
    expect(new Set(lanes.filter((lane) => lane.startsWith('c0#')))).toHaveProperty('size', 2);
    expect(new Set(lanes.filter((lane) => lane.startsWith('c1#')))).toHaveProperty('size', 8);
  });
});
