import { beforeAll, describe, expect, it } from 'vitest';
import type { StampedEvent } from '../../src/core/events.js';
import { useServer } from '../support/server.js';
import { RunFleet } from './run-fleet.js';

const UNITS = 500;
const BAD = [137, 251, 444];
/** 0.41 % of the 490 units after the canary are two failures, and not three. */
const ROLLOUT = {
  order: 'name',
  failureBudget: { count: 100, percent: '0.41%' },
  waves: [{ name: 'canary', max: 10 }, { name: 'rest' }],
};
const HALTED = 'halted: 3 of 490 units of wave rest failed; the budget bears 0.41 %';

const server = useServer();
let fleet: RunFleet;

beforeAll(async () => {
  fleet = await RunFleet.make(server.current, { schemas: UNITS }, { rollout: ROLLOUT });
}, 240_000);

/** A step that fails on three of the units. */
async function failingStep(): Promise<number> {
  for (const index of BAD) await fleet.trouble(index, true);
  return fleet.add();
}

/** The units of the last run in their order. */
const visited = () =>
  fleet.catalog<{ unit: string; status: string; attempts: number }>(`
    select unit, status, attempts from tenantctl_catalog.run_units
     where run = (select id from tenantctl_catalog.runs order by started_at desc limit 1) order by wave, ordinal`);

/** The units that have the step, by their rows. */
async function having(step: number): Promise<Set<string>> {
  const units = await fleet.units();
  const having = units.filter(({ ledger, trace }) => ledger.includes(step) || trace.includes(step));
  return new Set(having.map(({ unit }) => unit.replace(/^schema:s_.*_schema-/, 'schema:schema-')));
}

async function finishesAfterRepair(step: number): Promise<void> {
  for (const index of BAD) await fleet.trouble(index, false);
  expect(await fleet.report(0, 'runs', 'retry')).toMatchObject({
    status: 'succeeded',
    totals: { succeeded: UNITS, failed: 0, pending: 0 },
  });
  await fleet.hasEachStepOnce(step);
}

const bad = new Set(BAD.map((index) => `schema:schema-${index}`));

describe('a migration that fails on three of 500 units', () => {
  it('one at a time, is halted at the third, and `retry` finishes it after the repair', async () => {
    const step = await failingStep();
    const report = await fleet.report(7, 'migrate', '--concurrency', '1');
    expect(report).toMatchObject({ status: 'paused', reason: HALTED, totals: { failed: 3 } });
    const units = await visited();
    const third = units.findLastIndex(({ unit }) => bad.has(unit));
    expect(third).toBeGreaterThan(10);
    expect(units).toEqual(
      units.map(({ unit }, place) => {
        if (place > third) return { unit, status: 'pending', attempts: 0 };
        return { unit, status: bad.has(unit) ? 'failed' : 'succeeded', attempts: 1 };
      }),
    );
    const done = units.filter(({ status }) => status === 'succeeded').map(({ unit }) => unit);
    expect(await having(step)).toEqual(new Set(done));
    await finishesAfterRepair(step);
    const twice = (await visited()).filter(({ attempts }) => attempts > 1);
    expect(new Set(twice.map(({ unit }) => unit))).toEqual(bad);
  });

  it('four at a time, starts none after the third, and those that had begun end', async () => {
    const step = await failingStep();
    const ran = await fleet.project.run('migrate', '--concurrency', '4', '--events', '-');
    expect(ran.code, ran.stderr).toBe(7);
    const lines = ran.stderr.split('\n').filter((line) => line.startsWith('{'));
    const events = lines.map((line) => JSON.parse(line) as StampedEvent);
    const halted = events.findIndex(({ type }) => type === 'run.halted');
    const failures = events
      .slice(0, halted)
      .filter((event) => event.type === 'unit.finished' && event.outcome === 'failed');
    expect(failures).toHaveLength(3);
    const started = (some: StampedEvent[]) =>
      some.flatMap((event) => (event.type === 'unit.started' ? [event.unit] : []));
    expect(started(events.slice(halted))).toEqual([]);
    const begun = started(events);
    const units = await visited();
    expect(
      units
        .filter(({ status }) => status !== 'pending')
        .map(({ unit }) => unit)
        .toSorted(),
    ).toEqual(begun.toSorted());
    expect(begun.length).toBeLessThan(UNITS);
    expect(await having(step)).toEqual(new Set(begun.filter((unit) => !bad.has(unit))));
    await finishesAfterRepair(step);
  });
});
