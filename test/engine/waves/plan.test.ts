import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { groupBy } from '../../../src/core/group-by.js';
import { type PlannedWave, POOL_WAVE, type WavePolicy, planWaves } from '../../../src/engine/waves/plan.js';
import { type Caps, caps, distinct, ids, lanesOf, plannable, policies, units, wave } from './plannable.js';

const NO_WAVES: WavePolicy = { order: 'name', waves: [] };

/** Looks at every wave of many plans. */
function everyWave(look: (planned: PlannedWave, caps: Caps) => void): void {
  fc.assert(
    fc.property(units, policies, caps, (some, policy, limits) => {
      for (const planned of planWaves(some, policy, limits)) look(planned, limits);
    }),
  );
}

describe('a plan of waves', () => {
  test('holds every unit exactly once, in waves of different names, none of them empty', () => {
    fc.assert(
      fc.property(units, policies, caps, (some, policy, limits) => {
        const waves = planWaves(some, policy, limits);
        expect(waves.flatMap((one) => ids(one.units)).sort()).toEqual(ids(some).sort());
        expect(distinct(waves.map(({ name }) => name))).toBe(waves.length);
        for (const { units: taken } of waves) expect(taken.length).toBeGreaterThan(0);
      }),
    );
  });

  test('has the waves of the policy in their order, and what they leave over at the end', () => {
    fc.assert(
      fc.property(units, policies, caps, (some, policy, limits) => {
        const waves = planWaves(some, policy, limits).map(({ name }) => name);
        const wanted = policy.waves.map(({ name }) => name);
        const kept = waves.filter((name) => wanted.includes(name));
        expect(kept).toEqual(wanted.filter((name) => kept.includes(name)));
        expect(waves.slice(0, kept.length)).toEqual(kept);
      }),
    );
  });

  test('takes no more into a wave than its selector, its number and its percentage say', () => {
    fc.assert(
      fc.property(units, policies, caps, (some, policy, limits) => {
        const planned = new Map(planWaves(some, policy, limits).map((one) => [one.name, one.units]));
        const named = new Map(some.map((one) => [one.unit.id, one.named]));
        for (const { name, select, max, percent } of policy.waves) {
          const taken = planned.get(name) ?? [];
          if (select !== null) for (const id of ids(taken)) expect(named.get(id)?.has(name)).toBe(true);
          expect(taken.length).toBeLessThanOrEqual(max ?? Infinity);
          if (percent !== null)
            expect(taken.length).toBeLessThanOrEqual(Math.ceil((some.length * percent) / 100));
        }
      }),
    );
  });

  test('leaves no unit for later that a wave without limits selects', () => {
    const some = ['a', 'b', 'c'].map((id) =>
      plannable('schema', 'c0', 'd', id, { named: id === 'c' ? [] : ['canary'] }),
    );
    const policy: WavePolicy = { order: 'name', waves: [wave('canary', { select: [] }), wave('all')] };
    const waves = planWaves(some, policy, { concurrency: 1, cluster: () => 1, database: () => 1 });
    expect(waves.map((one) => [one.name, ids(one.units)])).toEqual([
      ['canary', ['a', 'b']],
      ['all', ['c']],
    ]);
  });

  test('has a pool only in a wave whose selector names it, otherwise in the last', () => {
    fc.assert(
      fc.property(units, policies, caps, (some, policy, limits) => {
        const named = new Map(some.map((one) => [one.unit.id, one.named]));
        const selecting = new Set(policy.waves.flatMap(({ name, select }) => (select === null ? [] : name)));
        const waves = planWaves(some, policy, limits);
        for (const [index, { name, units: taken }] of waves.entries()) {
          for (const { unit } of taken.filter((one) => one.unit.shared)) {
            const last = index === waves.length - 1 && name.startsWith(POOL_WAVE);
            expect(last || (selecting.has(name) && named.get(unit.id)?.has(name))).toBe(true);
          }
          if (name === POOL_WAVE) expect(taken.every(({ unit }) => unit.shared)).toBe(true);
        }
      }),
    );
  });

  test('is the same for the same units', () => {
    fc.assert(
      fc.property(units, policies, caps, (some, policy, limits) => {
        expect(planWaves([...some], policy, limits)).toEqual(planWaves(some, policy, limits));
      }),
    );
  });
});

describe('the lanes of a wave', () => {
  test('are no more on a cluster than it allows', () => {
    everyWave(({ units: taken }, { limits }) => {
      for (const [cluster, ofCluster] of groupBy(taken, ({ unit }) => unit.cluster))
        expect(distinct(ofCluster.map(({ lane }) => lane))).toBeLessThanOrEqual(limits[cluster] as number);
    });
  });

  test('are no more in all than asked for, but at least one for each cluster', () => {
    everyWave(({ units: taken }, { concurrency }) => {
      const clusters = distinct(taken.map(({ unit }) => unit.cluster));
      const lanes = distinct(taken.map(({ lane }) => lane));
      expect(lanes).toBeLessThanOrEqual(Math.max(concurrency, clusters));
      expect(lanes).toBeGreaterThanOrEqual(clusters);
    });
  });

  test('are no more on a database than it allows', () => {
    everyWave(({ units: taken }, { perDatabase }) => {
      const databases = groupBy(taken, ({ unit }) => `${unit.cluster}/${unit.database}`);
      for (const inDatabase of databases.values()) {
        const cap = perDatabase[(inDatabase[0] as (typeof inDatabase)[0]).unit.cluster] as number;
        expect(distinct(inDatabase.map(({ lane }) => lane))).toBeLessThanOrEqual(cap);
      }
    });
  });

  test('stay on one cluster each, with the units of a database together', () => {
    everyWave(({ units: taken }) => {
      for (const lane of groupBy(taken, ({ lane: name }) => name).values()) {
        expect(distinct(lane.map(({ unit }) => unit.cluster))).toBe(1);
        const databases = lane.map(({ unit }) => unit.database);
        const turns = databases.filter((database, index) => database !== databases[index - 1]);
        expect(turns).toHaveLength(distinct(databases));
      }
    });
  });

  test('number their units in the order of the wave', () => {
    everyWave(({ units: taken }) => {
      expect(taken.map(({ ordinal }) => ordinal)).toEqual(taken.map((_, index) => index));
    });
  });

  test('share the units of one database evenly', () => {
    const many = Array.from({ length: 100 }, (_, index) => plannable('schema', 'c0', 'd0', `s:${index}`));
    const [only] = planWaves(many, NO_WAVES, { concurrency: 8, cluster: () => 20, database: () => 4 });
    expect(Object.values(lanesOf(only?.units ?? [])).map((lane) => lane.length)).toEqual([25, 25, 25, 25]);
  });

  test('go to other clusters where a small one cannot use them', () => {
    const many = ['c0', 'c1'].flatMap((cluster, half) =>
      Array.from({ length: 50 }, (_, index) =>
        plannable('database', cluster, `d${index}`, `d:${half * 50 + index}`),
      ),
    );
    const limits = { concurrency: 10, cluster: (name: string) => (name === 'c0' ? 2 : 9), database: () => 5 };
    const lanes = Object.keys(lanesOf(planWaves(many, NO_WAVES, limits)[0]?.units ?? []));
    expect(lanes.filter((lane) => lane.startsWith('c0#'))).toHaveLength(2);
    expect(lanes.filter((lane) => lane.startsWith('c1#'))).toHaveLength(8);
  });
});
