import { describe, expect, test } from 'vitest';
import { explainRun } from '../../src/operations/runs/explain.js';
import { resumeRun } from '../../src/operations/runs/resume.js';
import { retryRun } from '../../src/operations/runs/retry.js';
import { showRun } from '../../src/operations/runs/show.js';
import { wave } from '../engine/waves/plannable.js';
import { useFleets, versionsOf } from './fleets.js';
import {
  GO,
  UNIQUE,
  budget,
  decisions,
  oneByOne,
  repair,
  runRow,
  spoil,
  started,
  statuses,
  unitRows,
} from './runs-support.js';

const fleets = useFleets();
const NINE = { pool: 0, schema: 9, database: 0 };

describe('a migration that fails on three of nine units', () => {
  test('is halted at the failure the budget does not bear, explained, repaired and finished', async () => {
    const fleet = await fleets.make(NINE, oneByOne({ failureBudget: budget(2) }));
    await spoil(fleet, 'schema-2', 'schema-4', 'schema-5');
    fleet.add(UNIQUE, 'create table later ();');
    const report = await fleet.migrate();

    const reason = 'halted: 3 units of wave rest failed; the budget bears 2';
    expect(report).toMatchObject({ status: 'paused', reason });
    expect(report.totals).toMatchObject({ units: 9, succeeded: 2, failed: 3, pending: 4 });
    expect(report.failures.map(({ unit, sqlstate, attempts }) => [unit, sqlstate, attempts])).toEqual([
      ['schema:schema-2', '23505', 1],
      ['schema:schema-4', '23505', 1],
      ['schema:schema-5', '23505', 1],
    ]);
    expect(started(fleet)).toEqual([1, 2, 3, 4, 5].map((n) => `schema:schema-${n}`));
    const halts = fleet.events.filter(({ type }) => type === 'run.halted');
    expect(halts).toMatchObject([
      { run: report.run, reason: '3 units of wave rest failed; the budget bears 2' },
    ]);
    expect((await unitRows(fleet)).map(({ status, attempts }) => `${status} ${attempts}`)).toEqual([
      'succeeded 1',
      'failed 1',
      'succeeded 1',
      'failed 1',
      'failed 1',
      ...Array<string>(4).fill('pending 0'),
    ]);
    expect(await runRow(fleet)).toEqual({ status: 'paused', reason, open: true });
    expect(await decisions(fleet)).toEqual([['halted', '3 units of wave rest failed; the budget bears 2']]);
    expect(await showRun(fleet.fleet, undefined)).toEqual({ ...report, durationMs: expect.any(Number) });

    const explained = await explainRun(fleet.fleet, undefined, undefined);
    expect(explained.sentence).toContain('is paused: halted: 3 units of wave rest failed');
    expect(explained.units.map(({ unit }) => unit.slice(-1)).join('')).toBe('2456789');
    expect(explained.units[0]?.sentence).toMatch(/^failed in 0003_step: .*could not create unique index/);
    expect(explained.units.at(-1)?.sentence).toContain('pending: the run is paused (halted: 3 units');
    expect(explained.next[0]).toBe(`tenantctl runs retry ${report.run?.slice(0, 8)}`);
    const one = await explainRun(fleet.fleet, undefined, 'schema:schema-1');
    expect(one.units).toMatchObject([{ status: 'succeeded', sentence: 'done: from 2 to 4' }]);

    await repair(fleet, 'schema-2', 'schema-4', 'schema-5');
    const done = await retryRun(fleet.fleet, undefined, GO);
    expect(done).toMatchObject({ run: report.run, status: 'succeeded', reason: null, failures: [] });
    expect(done.totals).toMatchObject({ succeeded: 9, failed: 0, pending: 0 });
    for (const ids of Object.values(await versionsOf(fleet))) expect(ids).toEqual([1, 2, 3, 4]);
    expect((await unitRows(fleet)).map(({ attempts }) => attempts)).toEqual([1, 2, 1, 2, 2, 1, 1, 1, 1]);
    const over = await explainRun(fleet.fleet, undefined, undefined);
    expect(over.units).toEqual([]);
    expect(over.sentence).toMatch(/^The migration to 0004_\w+ succeeded; 9 of 9 units are done\.$/);
  });

  test('goes on past the known failures on resume, and halts at the next one that exceeds the budget', async () => {
    const fleet = await fleets.make(NINE, oneByOne({ failureBudget: budget(0) }));
    await spoil(fleet, 'schema-2', 'schema-4', 'schema-9');
    fleet.add(UNIQUE);
    expect((await fleet.migrate()).totals).toMatchObject({ succeeded: 1, failed: 1, pending: 7 });
    const second = await resumeRun(fleet.fleet, undefined, GO);
    expect(second.totals).toMatchObject({ succeeded: 2, failed: 2, pending: 5 });
    const third = await resumeRun(fleet.fleet, undefined, GO);
    expect(third).toMatchObject({ status: 'paused', totals: { succeeded: 6, failed: 3, pending: 0 } });
    expect(await resumeRun(fleet.fleet, undefined, GO)).toMatchObject({ status: 'partial' });
    expect(started(fleet).filter((unit) => unit === 'schema:schema-2')).toHaveLength(1);
  });

  test('is halted by its percentage of the wave, and by failures one after the other', async () => {
    const waves = [wave('half', { percent: 50 }), wave('rest')];
    const fleet = await fleets.make(
      NINE,
      oneByOne({ waves, failureBudget: { count: 9, percent: 20, consecutive: null } }),
    );
    await spoil(fleet, 'schema-1', 'schema-3', 'schema-6', 'schema-7');
    fleet.add(UNIQUE);
    const report = await fleet.migrate();
    expect(report.reason).toBe('halted: 2 of 5 units of wave half failed; the budget bears 20 %');
    expect(report.waves).toMatchObject([
      { name: 'half', status: 'failed', succeeded: 1, failed: 2 },
      { name: 'rest', status: 'pending', succeeded: 0, failed: 0 },
    ]);
    const other = await fleets.make(
      NINE,
      oneByOne({ failureBudget: { count: 9, percent: 100, consecutive: 2 } }),
    );
    await spoil(other, 'schema-1', 'schema-3', 'schema-6', 'schema-7');
    other.add(UNIQUE);
    const halted = await other.migrate();
    expect(halted.reason).toBe('halted: 2 units failed one after the other; the budget ends at 2');
    expect(halted.totals).toMatchObject({ succeeded: 3, failed: 4, pending: 2 });
  });

  test('is carried to the end where the policy says continue', async () => {
    const fleet = await fleets.make(NINE, oneByOne({ onFailure: 'continue', failureBudget: budget(0) }));
    await spoil(fleet, 'schema-2', 'schema-4', 'schema-5');
    fleet.add(UNIQUE);
    const report = await fleet.migrate();
    expect(report).toMatchObject({ status: 'partial', totals: { succeeded: 6, failed: 3, pending: 0 } });
    expect(await decisions(fleet)).toEqual([]);
    expect(await runRow(fleet)).toMatchObject({ status: 'partial', open: false });
    await repair(fleet, 'schema-2', 'schema-4', 'schema-5');
    expect(await retryRun(fleet.fleet, undefined, GO)).toMatchObject({
      status: 'succeeded',
      run: report.run,
    });
    expect(new Set(Object.values(await statuses(fleet)))).toEqual(new Set(['succeeded']));
  });

  test('stays open for a second retry when the repair was not enough', async () => {
    const fleet = await fleets.make({ ...NINE, schema: 3 }, oneByOne({ failureBudget: budget(1) }));
    await spoil(fleet, 'schema-1', 'schema-3');
    fleet.add(UNIQUE);
    expect(await fleet.migrate()).toMatchObject({ status: 'paused', totals: { failed: 2 } });
    await repair(fleet, 'schema-1');
    expect(await retryRun(fleet.fleet, undefined, GO)).toMatchObject({
      status: 'partial',
      totals: { failed: 1 },
    });
    await repair(fleet, 'schema-3');
    expect(await retryRun(fleet.fleet, undefined, GO)).toMatchObject({ status: 'succeeded' });
  });
});
