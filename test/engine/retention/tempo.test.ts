import { expect, it } from 'vitest';
import { Tempo } from '../../../src/engine/retention/tempo.js';

it('rests for a quarter of the time that a batch takes, and never longer than it is told', () => {
  const tempo = new Tempo(5_000, 20);
  expect(tempo.after({ ms: 10, walBytes: 0 })).toBe(2.5);
  expect(tempo.after({ ms: 100, walBytes: 0 })).toBe(20);
  expect(tempo.batch).toBe(5_000);
});

it('makes the next batch smaller after a slow one, rests for its share, and grows again', () => {
  const tempo = new Tempo(5_000, 20);
  expect(tempo.after({ ms: 400, walBytes: 0 })).toBe(100);
  expect(tempo.batch).toBe(2_500);
  for (let n = 0; n < 10; n += 1) tempo.after({ ms: 400, walBytes: 0 });
  expect(tempo.batch).toBe(500);
  for (let n = 0; n < 10; n += 1) tempo.after({ ms: 10, walBytes: 0 });
  expect(tempo.batch).toBe(5_000);
});

it('lets the log keep up: who writes a gigabyte waits for the time that a second of it takes', () => {
  const tempo = new Tempo(5_000, 20);
  expect(tempo.after({ ms: 100, walBytes: 1_048_576_000 })).toBe(900);
});

it('takes no more rows than it was told, be they few', () => {
  const tempo = new Tempo(100, 0);
  tempo.after({ ms: 1_000, walBytes: 0 });
  expect(tempo.batch).toBe(100);
});
