import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FailureBudget } from '../../../src/core/settings.js';
import { FailureCount } from '../../../src/engine/waves/budget.js';

const NONE: FailureBudget = { count: 1_000_000, percent: 100, consecutive: null };

interface Case {
  does: string;
  budget: Partial<FailureBudget>;
  /** Units and failures that count already, of the run and of the wave. */
  run: [number, number];
  wave: [number, number];
  /** How units end: `x` failed, `.` did not. */
  ends: string;
  /** The turn, from 1, at which the budget is spent first; null when it bears all of it. */
  trips: number | null;
  says?: string;
}

const CASES: Case[] = [
  {
    does: 'none borne: the first failure',
    budget: { count: 0 },
    run: [100, 0],
    wave: [100, 0],
    ends: '..x',
    trips: 3,
    says: '1 units of wave w failed; the budget bears 0',
  },
  { does: 'three borne', budget: { count: 3 }, run: [100, 0], wave: [100, 0], ends: 'x.xx', trips: null },
  {
    does: 'three borne: the fourth',
    budget: { count: 3 },
    run: [100, 0],
    wave: [100, 0],
    ends: 'x.xx...x',
    trips: 8,
    says: '4 units of wave w failed; the budget bears 3',
  },
  {
    does: 'a percentage exactly',
    budget: { percent: 10 },
    run: [20, 0],
    wave: [20, 0],
    ends: 'xx',
    trips: null,
  },
  {
    does: 'one more than a percentage',
    budget: { percent: 10 },
    run: [20, 0],
    wave: [20, 0],
    ends: 'xxx',
    trips: 3,
    says: '3 of 20 units of wave w failed; the budget bears 10 %',
  },
  {
    does: 'no percentage: the first failure',
    budget: { percent: 0 },
    run: [500, 0],
    wave: [500, 0],
    ends: '.x',
    trips: 2,
  },
  {
    does: 'a small wave of a large run',
    budget: { percent: 10 },
    run: [1_000, 0],
    wave: [5, 0],
    ends: '.x',
    trips: 2,
    says: '1 of 5 units of wave w failed; the budget bears 10 %',
  },
  {
    does: 'failures of earlier waves, against the run',
    budget: { count: 3 },
    run: [100, 3],
    wave: [50, 0],
    ends: '.x',
    trips: 2,
    says: '4 units of the run failed; the budget bears 3',
  },
  {
    does: 'failures of earlier waves as a percentage of the run',
    budget: { percent: 50 },
    run: [10, 5],
    wave: [8, 0],
    ends: 'x',
    trips: 1,
    says: '6 of 10 units of the run failed; the budget bears 50 %',
  },
  {
    does: 'failures of this wave before a crash',
    budget: { count: 2 },
    run: [10, 2],
    wave: [10, 2],
    ends: '.x',
    trips: 2,
  },
  {
    does: 'failures that a person has seen are forgiven',
    budget: { count: 2 },
    run: [10, 0],
    wave: [10, 0],
    ends: 'xx',
    trips: null,
  },
  {
    does: 'failures one after the other',
    budget: { consecutive: 3 },
    run: [100, 0],
    wave: [100, 0],
    ends: 'xx.xx.xxx',
    trips: 9,
    says: '3 units failed one after the other; the budget ends at 3',
  },
  {
    does: 'failures that others come between',
    budget: { consecutive: 2 },
    run: [100, 0],
    wave: [100, 0],
    ends: 'x.x.x.x',
    trips: null,
  },
  {
    does: 'a count alone, whatever share that is',
    budget: { count: 3, percent: null },
    run: [10, 0],
    wave: [10, 0],
    ends: 'xxxx',
    trips: 4,
  },
  {
    does: 'a share alone, whatever number that is',
    budget: { count: null, percent: 50 },
    run: [20, 0],
    wave: [20, 0],
    ends: 'xxxxxxxxxxx',
    trips: 11,
  },
];

function tripsAt(count: FailureCount, ends: string): { turn: number | null; says: string | null } {
  for (const [index, end] of [...ends].entries()) {
    const says = count.note(end === 'x');
    if (says !== null) return { turn: index + 1, says };
  }
  return { turn: null, says: null };
}

describe('the failure budget is spent exactly where the policy says', () => {
  test.each(CASES)('$does', ({ budget, run, wave, ends, trips, says }) => {
    const count = new FailureCount({ ...NONE, ...budget }, ...run);
    count.startWave('w', ...wave);
    const seen = tripsAt(count, ends);
    expect(seen.turn).toBe(trips);
    if (says !== undefined) expect(seen.says).toBe(says);
  });

  test('a new wave has its own budget and shares that of the run', () => {
    const count = new FailureCount({ ...NONE, count: 2 }, 30, 0);
    count.startWave('first', 10, 0);
    expect([count.note(true), count.note(true)]).toEqual([null, null]);
    count.startWave('second', 10, 0);
    expect(count.note(true)).toBe('3 units of the run failed; the budget bears 2');
  });

  test('failures one after the other are counted across waves', () => {
    const count = new FailureCount({ ...NONE, consecutive: 2 }, 30, 0);
    count.startWave('first', 10, 0);
    expect(count.note(true)).toBeNull();
    count.startWave('second', 10, 0);
    expect(count.note(true)).toMatch(/2 units failed one after the other/);
  });

  test('whatever the units do, at the first failure that exceeds one of the limits', () => {
    const cases = fc.record({
      count: fc.nat({ max: 8 }),
      percent: fc.nat({ max: 100 }),
      consecutive: fc.option(fc.integer({ min: 1, max: 5 })),
      ends: fc.array(fc.boolean(), { maxLength: 40 }),
    });
    fc.assert(
      fc.property(cases, ({ ends, ...budget }) => {
        const counter = new FailureCount(budget, 40, 0);
        counter.startWave('w', 40, 0);
        const turn = tripsAt(counter, ends.map((failed) => (failed ? 'x' : '.')).join('')).turn;
        let failed = 0;
        let inSequence = 0;
        const expected = ends.findIndex((fails) => {
          inSequence = fails ? inSequence + 1 : 0;
          failed += fails ? 1 : 0;
          const { count, percent, consecutive } = budget;
          return fails && (failed > count || failed / 40 > percent / 100 || inSequence === consecutive);
        });
        expect(turn).toBe(expected === -1 ? null : expected + 1);
      }),
    );
  });
});
