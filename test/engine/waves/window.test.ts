import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { WindowSettings } from '../../../src/core/settings.js';
import { inZone, isOpen, nextOpening } from '../../../src/engine/waves/window.js';

const EVERY_DAY = [1, 2, 3, 4, 5, 6, 7];
const WEEK = [1, 2, 3, 4, 5];
const minutes = (clock: string): number => {
  const [hours, rest] = clock.split(':').map(Number) as [number, number];
  return hours * 60 + rest;
};
const between = (from: string, to: string, days = EVERY_DAY, zone = 'Europe/Berlin'): WindowSettings => ({
  days,
  from: minutes(from),
  to: minutes(to),
  zone,
});

test('a moment is told on the clock of its zone, in summer and winter', () => {
  const berlin = (at: string): string => inZone(new Date(at), 'Europe/Berlin');
  expect(berlin('2026-11-23T08:00:00Z')).toBe('Mon 2026-11-23 09:00 Europe/Berlin');
  expect(berlin('2026-07-12T22:05:00Z')).toBe('Mon 2026-07-13 00:05 Europe/Berlin');
});

describe('a time window', () => {
  const office = between('09:00', '16:00', [1, 2, 3, 4]);
  const night = between('22:00', '04:00', [5]);
  const wholeDay = between('00:00', '24:00', [3]);
  const evening = between('18:00', '24:00');
  const kathmandu = between('09:00', '10:00', EVERY_DAY, 'Asia/Kathmandu');
  // 2026-11-16 is a Monday; Berlin is an hour ahead of UTC then, and two in summer.
  test.each<[string, WindowSettings, string, boolean]>([
    ['is open from its first minute', office, '2026-11-16T08:00:00Z', true],
    ['is closed the second before', office, '2026-11-16T07:59:59Z', false],
    ['is open to the last second', office, '2026-11-16T14:59:59Z', true],
    ['is closed from its end', office, '2026-11-16T15:00:00Z', false],
    ['is read on the clock of its zone, in summer too', office, '2026-07-13T07:00:00Z', true],
    ['and is closed then when it would be open in winter', office, '2026-07-13T14:00:00Z', false],
    ['is closed on other days', office, '2026-11-20T10:00:00Z', false],
    ['that goes over midnight is open in the evening of its day', night, '2026-11-20T21:00:00Z', true],
    ['that goes over midnight is open in the morning after', night, '2026-11-21T02:59:00Z', true],
    ['that goes over midnight ends there', night, '2026-11-21T03:00:00Z', false],
    ['that goes over midnight is closed in the morning of its day', night, '2026-11-20T01:00:00Z', false],
    ['that goes over midnight is closed in the next evening', night, '2026-11-21T21:30:00Z', false],
    ['of a whole day is open at its beginning', wholeDay, '2026-11-17T23:00:00Z', true],
    ['of a whole day is open in its last minute', wholeDay, '2026-11-18T22:59:59Z', true],
    ['of a whole day is closed on the next', wholeDay, '2026-11-18T23:00:00Z', false],
    ['to 24:00 is open until midnight', evening, '2026-11-16T22:59:00Z', true],
    ['to 24:00 is closed at midnight', evening, '2026-11-16T23:00:00Z', false],
    ['knows zones that are not whole hours apart', kathmandu, '2026-11-16T03:15:00Z', true],
    ['knows where those end', kathmandu, '2026-11-16T04:15:00Z', false],
  ])('%s', (_, window, at, open) => {
    expect(isOpen(window, new Date(at))).toBe(open);
  });
});

describe('a window that is closed opens next', () => {
  // Summer time in Berlin begins on 29 March 2026 (02:00 becomes 03:00) and ends on 25 October (03:00 becomes 02:00).
  test.each<[string, WindowSettings, string, string]>([
    ['today', between('09:00', '16:00'), '2026-11-16T05:00:30Z', '2026-11-16T08:00:00.000Z'],
    ['tomorrow', between('09:00', '16:00'), '2026-11-16T15:00:00Z', '2026-11-17T08:00:00.000Z'],
    [
      'after the weekend',
      between('09:00', '16:00', WEEK),
      '2026-11-20T15:00:00Z',
      '2026-11-23T08:00:00.000Z',
    ],
    ['in a week', between('09:00', '16:00', [1]), '2026-11-16T15:00:00Z', '2026-11-23T08:00:00.000Z'],
    ['in the evening', between('22:00', '04:00'), '2026-11-16T03:00:00Z', '2026-11-16T21:00:00.000Z'],
    [
      'an hour earlier in summer',
      between('09:00', '16:00'),
      '2026-03-28T20:00:00Z',
      '2026-03-29T07:00:00.000Z',
    ],
    [
      'an hour later in winter',
      between('09:00', '16:00'),
      '2026-10-24T20:00:00Z',
      '2026-10-25T08:00:00.000Z',
    ],
    [
      'after an opening that the clock jumps over',
      between('02:30', '05:00'),
      '2026-03-28T12:00:00Z',
      '2026-03-29T01:00:00.000Z',
    ],
    [
      'on the next day when the clock jumps over all of it',
      between('02:10', '02:50'),
      '2026-03-29T00:00:00Z',
      '2026-03-30T00:10:00.000Z',
    ],
    [
      'at the first of two openings',
      between('02:30', '02:45'),
      '2026-10-24T22:00:00Z',
      '2026-10-25T00:30:00.000Z',
    ],
    ['and at the second', between('02:30', '02:45'), '2026-10-25T00:50:00Z', '2026-10-25T01:30:00.000Z'],
  ])('%s', (_, window, from, opens) => {
    expect(isOpen(window, new Date(from))).toBe(false);
    expect(nextOpening(window, new Date(from))?.toISOString()).toBe(opens);
  });

  test('never where the clock never shows it', () => {
    const nothing = { ...between('09:00', '16:00'), days: [] };
    expect(nextOpening(nothing, new Date('2026-11-16T05:00:00Z'))).toBeNull();
  });
});

test('the next opening of any window is an open minute, and none before it is', () => {
  const windows = fc.record({
    days: fc.subarray(EVERY_DAY, { minLength: 1 }),
    from: fc.nat({ max: 1_439 }),
    to: fc.integer({ min: 1, max: 1_440 }),
    zone: fc.constantFrom(
      'UTC',
      'Europe/Berlin',
      'America/New_York',
      'Asia/Kathmandu',
      'Australia/Lord_Howe',
    ),
  });
  const moments = fc.date({ min: new Date('2026-01-01'), max: new Date('2027-01-01'), noInvalidDate: true });
  fc.assert(
    fc.property(windows, moments, fc.double({ min: 0, max: 1, noNaN: true }), (window, from, share) => {
      fc.pre(window.from !== window.to);
      const opens = nextOpening(window, from);
      // A window that the clock jumps over may stay closed for a week, and no longer.
      if (opens === null) return expect(window.days).toHaveLength(1);
      expect(isOpen(window, opens)).toBe(true);
      if (isOpen(window, from)) return;
      const between = new Date(from.getTime() + (opens.getTime() - 1 - from.getTime()) * share);
      expect(isOpen(window, between)).toBe(false);
    }),
    { numRuns: 20 },
  );
});
