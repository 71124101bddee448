import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { abortRun } from '../../src/operations/runs/abort.js';
import { conductRun } from '../../src/operations/runs/conduct.js';
import { explainRun } from '../../src/operations/runs/explain.js';
import { listFleetRuns } from '../../src/operations/runs/list.js';
import { withRunLock } from '../../src/operations/runs/lock.js';
import { pauseRun } from '../../src/operations/runs/pause.js';
import { pickRun } from '../../src/operations/runs/pick.js';
import { resumeRun } from '../../src/operations/runs/resume.js';
import { retryRun } from '../../src/operations/runs/retry.js';
import { skipUnit } from '../../src/operations/runs/skip.js';
import { runFailure } from '../../src/cli/run-failure.js';
import { sql } from '../../src/pg/sql.js';
import { failureOf, writeFiles } from '../engine/ledger/directory.js';
import { wave } from '../engine/waves/plannable.js';
import { codeOf, useFleets, versionsOf } from './fleets.js';
import {
  GO,
  STEP,
  UNIQUE,
  budget,
  decisions,
  lookedAgain,
  migratingAtBarrier,
  oneByOne,
  runRow,
  somebody,
  spoil,
  started,
  statuses,
} from './runs-support.js';

const fleets = useFleets();
const THREE = { pool: 0, schema: 3, database: 0 };
const PATIENT = oneByOne({ lockTimeoutMs: 60_000 });

describe('a run that somebody pauses from another terminal', () => {
  test('lets what has begun end, and goes on only when a person resumes it', async () => {
    const fleet = await fleets.make(THREE, PATIENT);
    const { barrier, running } = await migratingAtBarrier(fleet);
    const paused = await pauseRun(somebody(fleet, 'ops', 'incident 4711'), undefined, false);
    expect(paused).toMatchObject({ status: 'paused', reason: 'paused by ops: incident 4711' });
    await lookedAgain(fleet);
    await barrier.open();
    const report = await running;
    expect(report).toMatchObject({ status: 'paused', reason: 'paused by ops: incident 4711' });
    expect(report.totals).toMatchObject({ succeeded: 1, pending: 2, failed: 0 });
    expect(started(fleet)).toEqual(['schema:schema-1']);
    expect(runFailure(report)).toMatchObject({
      exit: 10,
      message: 'The run is paused (paused by ops: incident 4711) with 2 units to go.',
      hint: expect.stringContaining(`\`tenantctl runs resume ${report.run?.slice(0, 8)}\` goes on`),
    });
    const refused = await failureOf(fleet.migrate());
    expect(refused).toMatchObject({ code: 'RUN_PAUSED_BY', exit: 5 });
    expect(refused.message).toContain('paused by ops: incident 4711');
    expect(await runRow(fleet)).toMatchObject({ status: 'paused', open: true });
    expect((await explainRun(fleet.fleet, undefined, 'schema:schema-2')).units[0]?.sentence).toBe(
      'pending: the run is paused (paused by ops: incident 4711)',
    );
    expect(await resumeRun(fleet.fleet, report.run?.slice(0, 6), GO)).toMatchObject({ status: 'succeeded' });
    expect(await codeOf(pauseRun(fleet.fleet, undefined, false))).toBe('RUN_FINISHED');
    await fleet.close();
  });

  test('while its units are being looked at starts none of them', async () => {
    const fleet = await fleets.make(THREE, oneByOne({ waves: [wave('canary', { max: 1 }), wave('rest')] }));
    fleet.add(STEP);
    await fleet.migrate({ wave: 'canary' });
    const report = await withRunLock(fleet.fleet, async (connection) => {
      const run = await pickRun(connection, undefined);
      await pauseRun(somebody(fleet, 'ops'), undefined, false);
      return conductRun(fleet.fleet, connection, run, { wait: false, through: null });
    });
    expect(report).toMatchObject({ status: 'paused', reason: 'paused by ops', totals: { pending: 2 } });
    expect(await runRow(fleet)).toMatchObject({ status: 'paused', reason: 'paused by ops' });
    expect(started(fleet)).toHaveLength(1);
    await fleet.close();
  });

  test('in its last moment says what is stored, and has succeeded on resume at the latest', async () => {
    const fleet = await fleets.make({ ...THREE, schema: 1 }, PATIENT);
    const { barrier, running } = await migratingAtBarrier(fleet);
    await pauseRun(somebody(fleet, 'ops'), undefined, false);
    await barrier.open();
    const report = await running;
    expect(['paused', 'succeeded']).toContain(report.status);
    expect(await runRow(fleet)).toMatchObject({ status: report.status });
    if (report.status === 'paused') await resumeRun(fleet.fleet, undefined, GO);
    expect(await runRow(fleet)).toMatchObject({ status: 'succeeded', open: false });
    await fleet.close();
  });

  test('only reports what it would do with --dry-run', async () => {
    const fleet = await fleets.make({ ...THREE, schema: 1 }, oneByOne({ failureBudget: budget(0) }));
    await spoil(fleet, 'schema-1');
    fleet.add(UNIQUE);
    await fleet.migrate();
    const before = await runRow(fleet);
    await pauseRun(fleet.fleet, undefined, true);
    await abortRun(fleet.fleet, undefined, true);
    await skipUnit(somebody(fleet, 'ops', 'why'), 'schema:schema-1', undefined, true);
    await resumeRun(fleet.fleet, undefined, { wait: false, dryRun: true });
    await retryRun(fleet.fleet, undefined, { wait: false, dryRun: true });
    expect(await runRow(fleet)).toEqual(before);
    expect(await statuses(fleet)).toEqual({ 'schema:schema-1': 'failed' });
    expect(await decisions(fleet)).toHaveLength(1);
    await fleet.close();
  });
});

describe('a run that is told to stop when its last unit is at work', () => {
  const atLast = async (rollout: Parameters<typeof oneByOne>[0], told: unknown = undefined) => {
    const fleet = await fleets.make({ ...THREE, schema: 1 }, oneByOne(rollout));
    fleet.add(STEP);
    const interruption = new AbortController();
    const onEvent = ({ type }: { type: string }) => type === 'unit.started' && interruption.abort(told);
    const report = await fleet.migrate({ fleet: fleet.process({ signal: interruption.signal, onEvent }) });
    return { fleet, report };
  };

  test('has finished with it, and leaves nothing open', async () => {
    const { fleet, report } = await atLast({});
    expect(report).toMatchObject({ status: 'succeeded', reason: null, totals: { succeeded: 1, pending: 0 } });
    expect(report.waves).toMatchObject([{ name: 'rest', status: 'succeeded' }]);
    expect(await runRow(fleet)).toMatchObject({ status: 'succeeded', open: false });
    expect(runFailure(report)).toBeUndefined();
    await fleet.close();
  });

  test('by a pause has finished too, for nothing is left to hold', async () => {
    const fleet = await fleets.make({ ...THREE, schema: 1 }, PATIENT);
    const { barrier, running } = await migratingAtBarrier(fleet);
    await pauseRun(somebody(fleet, 'ops'), undefined, false);
    await lookedAgain(fleet);
    await barrier.open();
    expect(await running).toMatchObject({ status: 'succeeded', reason: null });
    expect(await runRow(fleet)).toMatchObject({ status: 'succeeded', open: false });
  });

  test('stays open where health checks are still to be asked', async () => {
    const checks = [{ sql: 'select true' }];
    const { fleet, report } = await atLast({ waves: [wave('all', { checks })] });
    expect(report).toMatchObject({ status: 'paused', totals: { succeeded: 1, pending: 0 } });
    expect(await resumeRun(fleet.fleet, undefined, GO)).toMatchObject({ status: 'succeeded' });
    await fleet.close();
  });
});

describe('a run whose process was killed', () => {
  test('is told from one that is under way', async () => {
    const fleet = await fleets.make(THREE, PATIENT);
    const { barrier, running } = await migratingAtBarrier(fleet);
    expect((await explainRun(fleet.fleet, undefined, undefined)).sentence).toContain('is running');
    await pauseRun(fleet.fleet, undefined, false);
    await barrier.open();
    const { run } = await running;
    await fleet.fleet.catalog((connection) =>
      connection.execute(
        sql`update tenantctl_catalog.runs set status = 'running', finished_at = null where id = ${run}`,
      ),
    );
    const explained = await explainRun(fleet.fleet, undefined, undefined);
    expect(explained).toMatchObject({ status: 'running' });
    expect(explained.sentence).toContain('is paused: its process has ended');
    expect(explained.next.join()).toContain('runs resume');
    expect(explained.next.join()).not.toContain('runs watch');
    await fleet.close();
  });
});

describe('a run that somebody aborts', () => {
  test('starts nothing more, cannot be resumed, keeps what it did and makes room for another', async () => {
    const fleet = await fleets.make(THREE, PATIENT);
    const { barrier, running } = await migratingAtBarrier(fleet);
    await abortRun(somebody(fleet, 'ops', 'wrong file'), undefined, false);
    await lookedAgain(fleet);
    await barrier.open();
    const report = await running;
    expect(report).toMatchObject({ status: 'aborted', reason: 'aborted by ops: wrong file' });
    expect(report.totals).toMatchObject({ succeeded: 1, pending: 2 });
    expect(await runRow(fleet)).toMatchObject({ status: 'aborted', open: false });
    for (const again of [resumeRun, retryRun])
      expect(await codeOf(again(fleet.fleet, undefined, GO))).toBe('RUN_FINISHED');
    const { units } = await explainRun(fleet.fleet, undefined, undefined);
    expect(units[0]?.sentence).toBe('pending: the run was aborted before its turn');
    const next = await fleet.migrate();
    expect(next).toMatchObject({ status: 'succeeded', totals: { succeeded: 2, current: 1 } });
    const { runs } = await listFleetRuns(fleet.fleet, 10);
    expect(runs.map(({ run, status }) => [run, status])).toEqual([
      [next.run, 'succeeded'],
      [report.run, 'aborted'],
    ]);
    await fleet.close();
  });
});

describe('a unit that is skipped', () => {
  test('when it failed or has not had its turn is passed with the reason, and found by the next run', async () => {
    const fleet = await fleets.make({ ...THREE, schema: 4 }, oneByOne({ failureBudget: budget(0) }));
    await spoil(fleet, 'schema-2');
    fleet.add(UNIQUE);
    await fleet.migrate();
    const ops = somebody(fleet, 'ops', 'duplicates, ticket 42');
    const missing = await failureOf(skipUnit(fleet.fleet, 'schema:schema-2', undefined, false));
    expect(missing).toMatchObject({ code: 'REASON_MISSING', exit: 2 });
    for (const unit of ['schema:schema-1', 'schema:nobody'])
      expect(await failureOf(skipUnit(ops, unit, undefined, false))).toMatchObject({
        code: 'UNIT_NOT_SKIPPED',
        exit: 5,
      });
    for (const unit of ['schema:schema-2', 'schema:schema-4']) await skipUnit(ops, unit, undefined, false);
    const report = await resumeRun(fleet.fleet, undefined, GO);
    expect(report).toMatchObject({ status: 'succeeded', totals: { succeeded: 2, failed: 0, skipped: 2 } });
    const reason = 'skipped by ops: duplicates, ticket 42';
    expect(report.skipped.map((one) => [one.unit, one.reason])).toEqual([
      ['schema:schema-2', reason],
      ['schema:schema-4', reason],
    ]);
    expect(started(fleet)).not.toContain('schema:schema-4');
    expect((await explainRun(fleet.fleet, undefined, 'schema:schema-4')).units[0]?.sentence).toBe(
      `skipped: ${reason}`,
    );
    const next = await fleet.migrate();
    expect(next.totals).toMatchObject({ units: 2, tenants: 2, succeeded: 0, failed: 1, current: 2 });
    await fleet.close();
  });

  test('while others are at work does not start', async () => {
    const fleet = await fleets.make(THREE, PATIENT);
    const { barrier, running } = await migratingAtBarrier(fleet);
    await skipUnit(somebody(fleet, 'ops', 'surgery'), 'schema:schema-2', undefined, false);
    await lookedAgain(fleet);
    await barrier.open();
    expect(await running).toMatchObject({ status: 'succeeded', totals: { succeeded: 2, skipped: 1 } });
    expect((await versionsOf(fleet))['schema:schema-2']).toEqual([1, 2]);
    await fleet.close();
  });
});

describe('a run whose files were edited since', () => {
  test('is neither resumed, retried nor joined, and nothing is changed', async () => {
    const fleet = await fleets.make(THREE, oneByOne({ failureBudget: budget(0) }));
    await spoil(fleet, 'schema-1');
    fleet.add(UNIQUE);
    await fleet.migrate();
    const before = [await runRow(fleet), await statuses(fleet), await decisions(fleet)];
    const file = `${fleet.directory}/0003_step.sql`;
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, `${text}\nselect 1;`);
    for (const again of [
      () => resumeRun(fleet.fleet, undefined, GO),
      () => retryRun(fleet.fleet, undefined, GO),
      () => fleet.migrate(),
    ])
      expect(await failureOf(again())).toMatchObject({ code: 'RUN_FILES_CHANGED', exit: 3 });
    expect([await runRow(fleet), await statuses(fleet), await decisions(fleet)]).toEqual(before);
    writeFileSync(file, text);
    writeFiles(fleet.directory, { '0004_step.sql': 'create table later ();' });
    expect(await codeOf(fleet.migrate())).toBe('RUN_UNFINISHED');
    expect(await resumeRun(fleet.fleet, undefined, GO)).toMatchObject({
      status: 'partial',
      totals: { succeeded: 2 },
    });
  });
});
