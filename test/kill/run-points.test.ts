import { beforeAll, describe, expect, it } from 'vitest';
import { FAULT_POINTS, type FaultPoint } from '../../src/core/faults.js';
import { useServer } from '../support/server.js';
import { RunFleet } from './run-fleet.js';

const server = useServer();

/** One unit, the others but for the pool one after the other by their names, and a budget that bears no failure. */
const ROLLOUT = {
  order: 'name',
  concurrency: 1,
  failureBudget: { count: 0, percent: '0%' },
  waves: [{ name: 'canary', select: 'id=schema-3' }, { name: 'rest' }],
};

/** The points that every run passes, forwards and backwards. */
const PASSED: readonly FaultPoint[] = [
  'migrate.recorded',
  'migrate.planned',
  'migrate.unit-started',
  'migrate.unit-committed',
  'migrate.wave-ended',
  'migrate.wave-closed',
  'migrate.finished',
];
/** Those of a run whose budget is spent, and those of one that then takes back what it did. */
const HALTING: readonly FaultPoint[] = ['migrate.halted', 'migrate.halt-recorded'];
const TAKING_BACK: readonly FaultPoint[] = [
  ...HALTING,
  'migrate.unit-taken-back',
  'migrate.wave-taken-back',
  'migrate.finished',
];
const LATE: readonly FaultPoint[] = ['migrate.late'];

let fleet: RunFleet;

beforeAll(async () => {
  fleet = await RunFleet.make(server.current, { pool: true, schemas: 4, databases: 1 }, { rollout: ROLLOUT });
});

const SUCCEEDED = { status: 'succeeded', waves: ['succeeded'], units: ['succeeded'] };

describe('a run that is killed', () => {
  it.each(PASSED)('is finished by `runs resume`, each migration once: %s', async (point) => {
    const step = fleet.add();
    await fleet.killedAt(point, 'migrate');
    expect(await fleet.report(0, 'runs', 'resume')).toMatchObject({ status: 'succeeded', failures: [] });
    await fleet.hasEachStepOnce(step);
    expect(await fleet.stored()).toEqual(SUCCEEDED);
  });

  it('is finished when every attempt to finish it is killed as well', async () => {
    const step = fleet.add();
    await fleet.killedAt('migrate.planned', 'migrate');
    for (const point of PASSED.slice(2)) await fleet.killedAt(point, 'runs', 'resume');
    await fleet.report(0, 'runs', 'resume');
    await fleet.hasEachStepOnce(step);
  });
});

describe('a rollback that is killed', () => {
  beforeAll(async () => {
    for (const _ of PASSED) fleet.add();
    await fleet.report(0, 'migrate');
  });

  it.each(PASSED)('is finished by `runs resume`, each way back once: %s', async (point) => {
    const step = fleet.newest - 1 - PASSED.indexOf(point);
    await fleet.killedAt(point, 'rollback', '--to', String(step), '--allow-data-loss', '--yes');
    expect(await fleet.report(0, 'runs', 'resume')).toMatchObject({ kind: 'rollback', status: 'succeeded' });
    await fleet.hasEachStepOnce(step);
  });

  it('can be undone by migrating again', async () => {
    await fleet.report(0, 'migrate');
    await fleet.hasEachStepOnce(fleet.newest);
  });
});

/** A step that fails on the third unit of the second wave. */
async function failingStep() {
  const before = fleet.newest;
  const step = fleet.add();
  await fleet.trouble(1, true);
  return { before, step };
}

/** The newest step of each unit, by its rows. */
async function standing(): Promise<Record<string, number | undefined>> {
  const units = await fleet.units();
  return Object.fromEntries(units.map(({ unit, trace }) => [unit, trace.at(-1)]));
}

/** After the repair the run ends well. */
async function endsAfterRepair(step: number, ...args: string[]): Promise<void> {
  await fleet.trouble(1, false);
  expect(await fleet.report(0, ...args)).toMatchObject({ status: 'succeeded' });
  await fleet.hasEachStepOnce(step);
  expect(await fleet.stored()).toEqual(SUCCEEDED);
}

describe('a run that is killed while it halts', () => {
  it.each(HALTING)('starts nothing more when it is resumed: %s', async (point) => {
    const { before, step } = await failingStep();
    await fleet.killedAt(point, 'migrate');
    const here = await standing();
    expect(Object.values(here).toSorted()).toEqual([before, before, before, step, step, step]);
    expect(await fleet.report(7, 'runs', 'resume')).toMatchObject({
      status: 'paused',
      totals: { failed: 1 },
    });
    expect(await standing()).toEqual(here);
    await endsAfterRepair(step, 'runs', 'retry');
  });
});

describe('a run that is killed while it takes back what it did', () => {
  const run = ['migrate', '--on-failure', 'rollback', '--allow-data-loss'];

  it.each(TAKING_BACK)('takes back the rest of the wave when it is resumed: %s', async (point) => {
    const { before, step } = await failingStep();
    await fleet.killedAt(point, ...run);
    expect(await fleet.report(7, 'runs', 'resume')).toMatchObject({ status: 'failed' });
    const { [`schema:${fleet.schemaOf(3)}`]: canary, ...others } = await standing();
    expect([canary, ...new Set(Object.values(others))]).toEqual([step, before]);
    await endsAfterRepair(step, 'runs', 'retry');
  });

  it('goes forward with the whole wave when the same command is given after the repair', async () => {
    const { step } = await failingStep();
    await fleet.killedAt('migrate.unit-taken-back', ...run);
    await endsAfterRepair(step, ...run);
  });
});

describe('a run that is killed when a tenant has come up meanwhile, by an older checkout', () => {
  it.each(LATE)('brings it to the target when it is resumed: %s', async (point) => {
    const step = fleet.add();
    await fleet.killedAt('migrate.unit-started', 'migrate');
    await fleet.provisionByOlderCheckout(4);
    await fleet.killedAt(point, 'runs', 'resume');
    expect(await standing()).toMatchObject({ [`schema:${fleet.schemaOf(4)}`]: step - 1 });
    const report = await fleet.report(0, 'runs', 'resume');
    expect(report.waves.map(({ name, units, status }) => `${name} ${units} ${status}`)).toEqual([
      'canary 1 succeeded',
      'rest 4 succeeded',
      'pools 1 succeeded',
      'late 1 succeeded',
    ]);
    await fleet.hasEachStepOnce(step);
  });
});

it('every point of a run is tried', () => {
  const points = Object.keys(FAULT_POINTS).filter((point) => point.startsWith('migrate.'));
  expect(new Set([...PASSED, ...TAKING_BACK, ...LATE])).toEqual(new Set(points));
});
