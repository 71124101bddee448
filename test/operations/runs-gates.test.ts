import { describe, expect, test, vi } from 'vitest';
import { EXIT, TenantctlError } from '../../src/core/errors.js';
import { approveRun } from '../../src/operations/runs/approve.js';
import { explainRun } from '../../src/operations/runs/explain.js';
import { resumeRun } from '../../src/operations/runs/resume.js';
import { runFailure } from '../../src/cli/run-failure.js';
import { runPlanText } from '../../src/render/run-text.js';
import { failureOf } from '../engine/ledger/directory.js';
import { wave } from '../engine/waves/plannable.js';
import { type SmallFleet, useFleets, versionsOf } from './fleets.js';
import { GO, STEP, decisions, oneByOne, runRow, somebody, started } from './runs-support.js';

const fleets = useFleets();
const THREE = { pool: 0, schema: 3, database: 0 };

const waveRows = (fleet: SmallFleet) =>
  fleet.catalog<{ name: string; status: string; by: string | null }>(
    'select name, status, approved_by as by from tenantctl_catalog.run_waves order by ordinal',
  );

test('a plan lists what holds the run back: checks, bake time and approval of each wave, and the window', async () => {
  const gated = {
    bakeMs: 60_000,
    approve: true,
    checks: [{ sql: 'select true' }, { command: ['true', 'token'] }],
  };
  const window = { days: [1, 2, 3, 4], from: 540, to: 1_440, zone: 'Europe/Berlin' };
  const waves = [wave('canary', { max: 1, ...gated }), wave('rest', gated)];
  const fleet = await fleets.make(THREE, oneByOne({ waves, window }));
  fleet.add(STEP);
  const plan = await fleet.preview();
  expect(plan.window).toEqual({
    days: ['Mon', 'Tue', 'Wed', 'Thu'],
    from: '09:00',
    to: '24:00',
    zone: 'Europe/Berlin',
  });
  expect(plan.waves).toMatchObject([
    { name: 'canary', checks: 2, bakeMs: 60_000, approve: true },
    { name: 'rest', checks: 2, bakeMs: 0, approve: false },
  ]);
  const text = runPlanText(plan);
  expect(text).toContain(
    [
      'Gates',
      '  after canary the run asks 2 health checks, then is watched for 1 min 0 s, then waits for approval',
      '  after rest the run asks 2 health checks',
      '  units start Mon, Tue, Wed, Thu from 09:00 to 24:00 Europe/Berlin only',
    ].join('\n'),
  );
  expect(JSON.stringify(plan)).not.toContain('token');
});

/** Waits until the driving process says that it waits. */
const waits = (fleet: SmallFleet, what: string) =>
  vi.waitUntil(() => fleet.events.find((event) => event.type === 'wave.waiting' && event.for === what), {
    interval: 5,
    timeout: 20_000,
  });

describe('a wave that a person must approve', () => {
  const policy = oneByOne({ waves: [wave('canary', { max: 1, approve: true }), wave('rest')] });

  test('leaves the run waiting with exit 10, and lets it go on once it is approved', async () => {
    const fleet = await fleets.make(THREE, policy);
    fleet.add(STEP);
    const report = await fleet.migrate();
    expect(report).toMatchObject({ status: 'waiting', reason: 'wave canary waits for approval' });
    const short = report.run?.slice(0, 8);
    expect(runFailure(report)).toMatchObject({
      exit: 10,
      message: 'The run is well and waits: wave canary waits for approval.',
      hint: `\`tenantctl runs approve ${short}\` lets it pass, then \`tenantctl runs resume ${short}\` goes on.`,
    });
    expect(report.waves.map(({ name, status }) => [name, status])).toEqual([
      ['canary', 'awaiting-approval'],
      ['rest', 'pending'],
    ]);
    expect(started(fleet)).toEqual(['schema:schema-1']);
    const { waves, units } = await explainRun(fleet.fleet, undefined, undefined);
    expect(waves[0]?.sentence).toContain('waits for approval: tenantctl runs approve');
    expect(units[0]?.sentence).toBe('pending: wave rest comes after wave canary, which waits for approval');
    expect(await resumeRun(fleet.fleet, undefined, GO)).toMatchObject({
      status: 'waiting',
      totals: { pending: 2 },
    });

    expect(await approveRun(fleet.fleet, undefined, true)).toMatchObject({ wave: 'canary' });
    expect((await waveRows(fleet))[0]).toMatchObject({ by: null });
    await approveRun(somebody(fleet, 'judge', 'error rate is flat'), undefined, false);
    expect((await waveRows(fleet))[0]).toMatchObject({ by: 'judge' });
    const error = await failureOf(approveRun(fleet.fleet, undefined, false));
    expect(error).toMatchObject({ code: 'NOTHING_TO_APPROVE', exit: 5 });
    expect(await resumeRun(fleet.fleet, undefined, GO)).toMatchObject({ status: 'succeeded' });
    expect((await waveRows(fleet)).map(({ status }) => status)).toEqual(['succeeded', 'succeeded']);
    expect((await decisions(fleet)).map(([decision, reason]) => `${decision}: ${reason}`)).toEqual([
      'resumed: by suite',
      'approved: wave canary by judge: error rate is flat',
      'resumed: by suite',
    ]);
    await fleet.close();
  });

  test('is waited for by a process that was told to, which goes on by itself', async () => {
    const fleet = await fleets.make(THREE, policy);
    fleet.add(STEP);
    const running = fleet.migrate({ wait: true });
    expect(await waits(fleet, 'approval')).toMatchObject({ wave: 'canary', until: null });
    expect(await runRow(fleet)).toMatchObject({ status: 'running' });
    expect(started(fleet)).toHaveLength(1);
    await approveRun(somebody(fleet, 'judge'), undefined, false);
    expect(await running).toMatchObject({ status: 'succeeded', totals: { succeeded: 3 } });
    expect(fleet.events.filter(({ type }) => type === 'wave.resumed')).toHaveLength(1);
    await fleet.close();
  });

  test('is not waited for longer than --timeout, and that is said', async () => {
    const fleet = await fleets.make(THREE, policy);
    fleet.add(STEP);
    const limit = new AbortController();
    const onEvent = ({ type }: { type: string }) =>
      type === 'wave.waiting' &&
      limit.abort(new TenantctlError('TIMEOUT', EXIT.timeout, '--timeout reached after 10 s'));
    const report = await fleet.migrate({
      wait: true,
      fleet: fleet.process({ signal: limit.signal, onEvent }),
    });
    const reason = 'the time limit of --timeout was reached; `tenantctl runs resume` goes on';
    expect(report).toMatchObject({ status: 'paused', reason });
    expect(await runRow(fleet)).toMatchObject({ status: 'paused', reason, open: true });
    await fleet.close();
  });

  test('is asked for as well where the wave was halted and is passed on resume', async () => {
    const fleet = await fleets.make(
      THREE,
      oneByOne({ ...policy.rollout, failureBudget: { count: 0, percent: 100, consecutive: null } }),
    );
    await fleet.shared(
      `create table "${fleet.settings.tenancy.names.schema.replace('{id}', 'schema-1')}".taken ()`,
    );
    fleet.add('create table taken ();');
    expect(await fleet.migrate()).toMatchObject({ status: 'paused', totals: { failed: 1 } });
    expect(await resumeRun(fleet.fleet, undefined, GO)).toMatchObject({
      status: 'waiting',
      totals: { pending: 2 },
    });
    await approveRun(fleet.fleet, undefined, false);
    expect(await resumeRun(fleet.fleet, undefined, GO)).toMatchObject({
      status: 'partial',
      totals: { succeeded: 2 },
    });
  });
});

describe('a wave that is watched for some time', () => {
  test('leaves the run waiting until then by the clock of the catalog, and is waited for on demand', async () => {
    const fleet = await fleets.make(THREE, oneByOne({ waves: [wave('canary', { max: 1, bakeMs: 60_000 })] }));
    fleet.add(STEP);
    const report = await fleet.migrate();
    expect(report.status).toBe('waiting');
    expect(report.reason).toMatch(/^wave canary is watched until 20/);
    expect(report.waves[0]).toMatchObject({ status: 'baking' });
    const [{ ms } = { ms: 0 }] = await fleet.catalog<{ ms: number }>(
      'select extract(epoch from bake_until - now())::float8 * 1000 as ms from tenantctl_catalog.run_waves where ordinal = 0',
    );
    expect(ms).toBeGreaterThan(30_000);
    expect(ms).toBeLessThanOrEqual(60_000);
    expect((await explainRun(fleet.fleet, undefined, undefined)).units[0]?.sentence).toContain(
      'is being watched',
    );
    expect(await resumeRun(fleet.fleet, undefined, GO)).toMatchObject({
      status: 'waiting',
      reason: report.reason,
    });
    await fleet.catalog('update tenantctl_catalog.run_waves set bake_until = now() where ordinal = 0');
    expect(await resumeRun(fleet.fleet, undefined, GO)).toMatchObject({ status: 'succeeded' });

    const other = await fleets.make(THREE, oneByOne({ waves: [wave('canary', { max: 1, bakeMs: 200 })] }));
    other.add(STEP);
    expect(await other.migrate({ wait: true })).toMatchObject({ status: 'succeeded' });
    const types = other.events.map(({ type }) => type);
    expect(types.indexOf('wave.waiting')).toBeLessThan(types.indexOf('wave.resumed'));
  });
});

describe('a run outside its time window', () => {
  const minuteOfDay = (): number => Math.floor((Date.now() / 60_000) % 1_440);
  /** Ten minutes long, and twelve hours away. */
  const closed = () => {
    const from = (minuteOfDay() + 720) % 1_440;
    return { days: [1, 2, 3, 4, 5, 6, 7], from, to: (from + 10) % 1_440, zone: 'UTC' };
  };

  test('starts nothing and waits with exit 10', async () => {
    const fleet = await fleets.make(THREE, oneByOne({ window: closed() }));
    fleet.add(STEP);
    const report = await fleet.migrate();
    expect(report.reason).toMatch(
      /^wave rest: the time window is closed until \w{3} 20[-\d]+ \d\d:\d\d UTC$/,
    );
    expect(runFailure(report)).toMatchObject({ exit: 10 });
    expect(started(fleet)).toEqual([]);
    expect((await waveRows(fleet))[0]).toMatchObject({ status: 'awaiting-window' });
    expect((await explainRun(fleet.fleet, undefined, undefined)).units[0]?.sentence).toBe(
      'pending: the time window is closed',
    );
    expect(await runRow(fleet)).toMatchObject({ status: 'waiting', open: true });
    await fleet.catalog(`update tenantctl_catalog.runs set policy = jsonb_set(policy, '{window}', 'null')`);
    expect(await resumeRun(fleet.fleet, undefined, GO)).toMatchObject({ status: 'succeeded' });
    for (const ids of Object.values(await versionsOf(fleet))) expect(ids).toEqual([1, 2, 3]);
  });

  test('is waited for, and can be interrupted meanwhile', async () => {
    const fleet = await fleets.make(THREE, oneByOne({ window: closed() }));
    fleet.add(STEP);
    const interruption = new AbortController();
    const seen: string[] = [];
    const running = fleet.migrate({
      wait: true,
      fleet: fleet.process({
        signal: interruption.signal,
        onEvent: (event) => {
          if (event.type === 'wave.waiting') seen.push(`${event.for} ${event.until}`);
          if (event.type === 'wave.waiting') interruption.abort();
        },
      }),
    });
    expect(await running).toMatchObject({ status: 'paused', totals: { pending: 3 } });
    expect(seen).toEqual([expect.stringMatching(/^window 20.*Z$/)]);
    await fleet.close();
  });
});

describe('a run with a throttle', () => {
  test('holds units back while its query says false, and keeps why', async () => {
    const fleet = await fleets.make(THREE, oneByOne());
    await fleet.catalog('create role rush_hour');
    Object.assign(fleet.settings.rollout.throttle, {
      sql: `select not exists (select from pg_roles where rolname = 'rush_hour')`,
    });
    fleet.add(STEP);
    const running = fleet.migrate();
    expect(await waits(fleet, 'throttle')).toMatchObject({
      wave: 'rest',
      reason: `the throttle's query says false on cluster main`,
    });
    expect(started(fleet)).toEqual([]);
    await fleet.catalog('drop role rush_hour');
    expect(await running).toMatchObject({ status: 'succeeded', totals: { succeeded: 3 } });
    expect(await decisions(fleet)).toEqual([
      ['throttled', `the throttle's query says false on cluster main`],
      ['resumed', 'the strain is over'],
    ]);
  });

  test('starts nothing when the query cannot be answered, names it, and can go on', async () => {
    const throttle = { replicationLagMs: null, activeSessions: null, sql: 'select no_such_column' };
    const fleet = await fleets.make(THREE, oneByOne({ throttle }));
    fleet.add(STEP);
    const error = await failureOf(fleet.migrate());
    expect(error).toMatchObject({ code: 'THROTTLE_FAILED', exit: 6, facts: { sqlstate: '42703' } });
    expect(started(fleet)).toEqual([]);
    expect(await runRow(fleet)).toMatchObject({ status: 'paused', open: true });
    expect((await runRow(fleet)).reason).toMatch(/^stopped: The throttle's query fails on cluster main/);
    const strained = await fleets.make(
      THREE,
      oneByOne({ throttle: { ...throttle, sql: null, activeSessions: 99 } }),
    );
    strained.add(STEP);
    expect(await strained.migrate()).toMatchObject({ status: 'succeeded' });
  });
});
