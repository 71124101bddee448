import { describe, expect, test } from 'vitest';
import { inProcessLanes } from '../../../src/engine/waves/lanes.js';
import type { PlannedUnit } from '../../../src/engine/waves/plan.js';

const planned = (id: string, lane: string, ordinal: number): PlannedUnit => ({
  unit: {
    id,
    tier: 'schema',
    shared: false,
    cluster: 'c',
    database: 'd',
    schema: id,
    ledgerKey: id,
    tenants: [id],
    tenantCount: 1,
  },
  pages: 0,
  lane,
  ordinal,
});

/** Units `a0 a1 …`, `b0 b1 …` on lanes `a`, `b`. */
function onLanes(lanes: string, each: number): PlannedUnit[] {
  return [...lanes].flatMap((lane) =>
    Array.from({ length: each }, (_, turn) => planned(`${lane}${turn}`, lane, turn)),
  );
}

/** A handler whose units stay under way until the test lets them go. */
function gate() {
  const begun: string[] = [];
  const ended: string[] = [];
  const waiting = new Map<string, () => void>();
  return {
    begun,
    ended,
    async handle({ unit: { id } }: PlannedUnit): Promise<void> {
      begun.push(id);
      await new Promise<void>((resolve) => waiting.set(id, resolve));
      ended.push(id);
    },
    /** Lets one go and waits for what follows from it. */
    async letGo(id: string): Promise<void> {
      (waiting.get(id) as () => void)();
      await settled();
    },
  };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const never = new AbortController().signal;

describe('lanes within this process', () => {
  test('run side by side, the units of each one after the other', async () => {
    const lanes = inProcessLanes();
    const work = gate();
    await lanes.submit(onLanes('ab', 2));
    const done = lanes.work(work.handle, never);
    await settled();
    expect(work.begun).toEqual(['a0', 'b0']);
    await work.letGo('b0');
    expect(work.begun).toEqual(['a0', 'b0', 'b1']);
    await work.letGo('a0');
    await work.letGo('b1');
    expect(work.begun).toEqual(['a0', 'b0', 'b1', 'a1']);
    await work.letGo('a1');
    await done;
    expect(work.ended).toEqual(['b0', 'a0', 'b1', 'a1']);
  });

  test('let units that have begun end after an abort and start no other', async () => {
    const lanes = inProcessLanes();
    const work = gate();
    const interruption = new AbortController();
    await lanes.submit(onLanes('ab', 3));
    const done = lanes.work(work.handle, interruption.signal);
    await settled();
    interruption.abort();
    await work.letGo('a0');
    expect(work.ended).toEqual(['a0']);
    await work.letGo('b0');
    await done;
    expect(work.begun).toEqual(['a0', 'b0']);
    expect(work.ended).toEqual(['a0', 'b0']);
  });

  test('run nothing that was cancelled before, and say how many that were', async () => {
    const lanes = inProcessLanes();
    const work = gate();
    await lanes.submit(onLanes('ab', 3));
    expect(await lanes.cancel()).toBe(6);
    await lanes.work(work.handle, never);
    expect(work.begun).toEqual([]);
  });

  test('take another wave after the first, and nothing after they were closed', async () => {
    const lanes = inProcessLanes();
    const seen: string[] = [];
    const note = async ({ unit: { id } }: PlannedUnit): Promise<void> => void seen.push(id);
    await lanes.submit(onLanes('a', 2));
    await lanes.work(note, never);
    await lanes.submit(onLanes('b', 1));
    await lanes.work(note, never);
    expect(seen).toEqual(['a0', 'a1', 'b0']);
    await lanes.submit(onLanes('c', 1));
    await lanes.close();
    await lanes.work(note, never);
    expect(seen).toEqual(['a0', 'a1', 'b0']);
  });
});
