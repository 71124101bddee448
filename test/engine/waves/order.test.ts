import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { UnitOrder } from '../../../src/core/settings.js';
import { type PlannableUnit, planLateWave, planWaves } from '../../../src/engine/waves/plan.js';
import { ids, lanesOf, plannable, wave } from './plannable.js';

const ONE_LANE = { concurrency: 1, cluster: () => 1, database: () => 1 };
const lanes = (count: number) => ({ concurrency: count, cluster: () => count, database: () => count });
const inOneDatabase = (sizes: readonly number[]): PlannableUnit[] =>
  sizes.map((pages, index) =>
    plannable('schema', 'c', 'd', `s:${String(index).padStart(4, '0')}`, { pages }),
  );
const order = (some: PlannableUnit[], by: UnitOrder) =>
  planWaves(some, { order: by, waves: [] }, ONE_LANE).flatMap((one) => one.units);

describe('the order of units', () => {
  const sizes = fc.array(fc.nat({ max: 9 }), { minLength: 1, maxLength: 40 });
  const descending = (a: number, b: number) => b - a;

  test('is the largest first, the smallest first, or that of their names', () => {
    fc.assert(
      fc.property(sizes, (pages) => {
        const some = inOneDatabase(pages);
        const pagesBy = (by: UnitOrder) => order(some, by).map((one) => one.pages);
        expect(pagesBy('largest-first')).toEqual([...pages].sort(descending));
        expect(pagesBy('smallest-first')).toEqual([...pages].sort((a, b) => a - b));
        expect(ids(order(some.toReversed(), 'name'))).toEqual(ids(some));
      }),
    );
  });

  test('is that of their names among units of one size', () => {
    const some = inOneDatabase([5, 5, 5]);
    for (const by of ['largest-first', 'smallest-first'] as const)
      expect(ids(order(some.toReversed(), by))).toEqual(ids(some));
  });

  test('is the smallest first in the first of several waves, so that a mistake costs little', () => {
    fc.assert(
      fc.property(sizes, fc.integer({ min: 1, max: 10 }), (pages, max) => {
        const policy = { order: 'largest-first' as const, waves: [wave('canary', { max }), wave('rest')] };
        const [canary, rest] = planWaves(inOneDatabase(pages), policy, ONE_LANE);
        const small = [...pages].sort((a, b) => a - b);
        expect(canary?.units.map((one) => one.pages)).toEqual(small.slice(0, max));
        expect(rest?.units.map((one) => one.pages) ?? []).toEqual(small.slice(max).sort(descending));
      }),
    );
  });

  test('is the one that was asked for where there is one wave only', () => {
    const policy = { order: 'largest-first' as const, waves: [wave('all')] };
    const [all] = planWaves(inOneDatabase([1, 9, 4]), policy, ONE_LANE);
    expect(all?.units.map(({ pages }) => pages)).toEqual([9, 4, 1]);
  });

  test('holds within each lane for units that came late', () => {
    const late = planLateWave(inOneDatabase([3, 1, 2]), 'smallest-first', ONE_LANE);
    expect(late.map(({ pages }) => pages)).toEqual([1, 2, 3]);
  });
});

describe('a unit larger than all others together', () => {
  test('has its lane to itself, in whatever order', () => {
    const cases = fc.record({
      others: fc.array(fc.nat({ max: 1_000 }), { maxLength: 60 }),
      at: fc.nat({ max: 60 }),
      count: fc.integer({ min: 2, max: 8 }),
      by: fc.constantFrom<UnitOrder>('largest-first', 'smallest-first', 'name'),
      tier: fc.constantFrom('schema' as const, 'database' as const),
    });
    fc.assert(
      fc.property(cases, ({ others, at, count, by, tier }) => {
        const some = others.map((pages, index) =>
          plannable(tier, 'c', tier === 'schema' ? 'd' : `d${index}`, `s:${index}`, { pages }),
        );
        const giant = plannable(tier, 'c', tier === 'schema' ? 'd' : 'dg', 's:giant', { pages: 1_000_000 });
        some.splice(Math.min(at, some.length), 0, giant);
        const planned = planWaves(some, { order: by, waves: [] }, lanes(count)).flatMap((one) => one.units);
        expect(Object.values(lanesOf(planned)).find((lane) => lane.includes('s:giant'))).toEqual(['s:giant']);
      }),
    );
  });

  test('is the most by which a lane is longer than an even share', () => {
    const sizes = fc.array(fc.integer({ min: 0, max: 100_000 }), { minLength: 1, maxLength: 50 });
    fc.assert(
      fc.property(sizes, fc.integer({ min: 1, max: 8 }), (pages, count) => {
        const planned = planWaves(inOneDatabase(pages), { order: 'name', waves: [] }, lanes(count));
        const cost = (id: string) => 100 + (pages[Number(id.slice(2))] as number);
        const loads = Object.values(lanesOf(planned.flatMap((one) => one.units))).map((lane) =>
          lane.reduce((sum, id) => sum + cost(id), 0),
        );
        const share = pages.reduce((sum, one) => sum + one + 100, 0) / count;
        const largest = Math.max(...pages) + 100;
        expect(Math.max(...loads)).toBeLessThanOrEqual(share + largest * (1 - 1 / count) + 1);
      }),
    );
  });
});
