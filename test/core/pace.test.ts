import { describe, expect, test } from 'vitest';
import { Pace } from '../../src/core/pace.js';

const BEFORE = [4, 5, 3, 4];

function after(looks: readonly number[]): Pace {
  const pace = new Pace(BEFORE);
  for (const ms of looks) pace.feel(ms);
  return pace;
}

const times = (count: number, ms: number): number[] => Array.from({ length: count }, () => ms);

describe('the pace of a long piece of work', () => {
  test('is full while others wait as long as before, or less than half as long again', () => {
    expect(after(times(50, 5.9)).restAfter(100)).toBe(0);
    expect(after(times(50, 5.9)).speed).toBe(100);
  });

  test('is not slowed by a single moment', () => {
    expect(after([8, ...times(5, 4)]).restAfter(100)).toBe(0);
  });

  test('slows step by step while others wait longer', () => {
    const rests = [4, 5, 6, 7].map((count) => after(times(count, 12)).restAfter(100));
    expect(rests[0]).toBeGreaterThan(0);
    expect(rests.toSorted((one, other) => one - other)).toEqual(rests);
    expect(new Set(rests).size).toBeGreaterThan(2);
  });

  test('never stops altogether: half of the time is worked', () => {
    expect(after(times(500, 1_000)).speed).toBe(50);
  });

  test('is full again soon after others wait no longer', () => {
    expect(after([...times(500, 1_000), ...times(30, 4)]).restAfter(100)).toBe(0);
  });

  test('stays as it is in between', () => {
    const pace = after(times(5, 12));
    const rest = pace.restAfter(100);
    for (const ms of times(20, 5.4)) pace.feel(ms);
    const later = pace.restAfter(100);
    for (const ms of times(20, 5.4)) pace.feel(ms);
    expect(rest).toBeGreaterThan(0);
    expect(pace.restAfter(100)).toBe(later);
  });

  test('takes no chance for strain where everything takes less than two milliseconds', () => {
    const pace = new Pace([0.1, 0.1, 0.1]);
    for (const ms of times(50, 1.9)) pace.feel(ms);
    expect(pace.restAfter(100)).toBe(0);
  });

  test('lets nothing be done side by side until others have been seen not to feel it', () => {
    const calm = (count: number) => after(times(count, 4)).sideBySide;
    expect([calm(0), calm(9), calm(10)]).toEqual([false, false, true]);
    expect(after(times(50, 6)).sideBySide).toBe(false);
  });

  test('has pieces done one after the other again as soon as others feel it', () => {
    expect(after([...times(20, 4), ...times(2, 12)]).sideBySide).toBe(false);
  });
});
