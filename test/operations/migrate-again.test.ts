import pg from 'pg';
import { describe, expect, test, vi } from 'vitest';
import { activateTenant } from '../../src/operations/activate.js';
import { setTenant } from '../../src/operations/set.js';
import { abortRun } from '../../src/operations/runs/abort.js';
import { suspendTenant } from '../../src/operations/suspend.js';
import { failureOf } from '../engine/ledger/directory.js';
import { type SmallFleet, useFleets, versionsOf } from './fleets.js';

const fleets = useFleets();
const STEP = 'alter table item add column extra text;';
const NO = { dryRun: false };

const runsOf = (fleet: SmallFleet) =>
  fleet.catalog<{ id: string; status: string; reason: string | null; open: boolean }>(
    `select id, status, status_reason as reason, finished_at is null as open from tenantctl_catalog.runs order by started_at`,
  );

describe('a unit that is pinned', () => {
  test('is held and reported, goes as far as its pin, and on when it is let go', async () => {
    const fleet = await fleets.make({ pool: 0, schema: 2, database: 1 });
    fleet.add(STEP, 'create table later ()');
    await setTenant(fleet.fleet, 'schema-1', { pin: '2' }, NO);
    await setTenant(fleet.fleet, 'database-1', { pin: '0003_step' }, NO);
    const report = await fleet.migrate();
    expect(report.skipped).toEqual([{ unit: 'schema:schema-1', reason: 'pinned at migration 2' }]);
    expect(report).toMatchObject({ status: 'succeeded', totals: { succeeded: 2, skipped: 1, failed: 0 } });
    expect(await versionsOf(fleet)).toEqual({
      'schema:schema-1': [1, 2],
      'schema:schema-2': [1, 2, 3, 4],
      'database:database-1': [1, 2, 3],
    });
    expect((await fleet.preview()).skipped.map(({ unit }) => unit).sort()).toEqual([
      'database:database-1',
      'schema:schema-1',
    ]);
    for (const id of ['schema-1', 'database-1']) await setTenant(fleet.fleet, id, { unpin: true }, NO);
    expect((await fleet.migrate()).totals).toMatchObject({ succeeded: 2, skipped: 0, current: 1 });
    for (const ids of Object.values(await versionsOf(fleet))) expect(ids).toEqual([1, 2, 3, 4]);
  });
});

describe('a suspended tenant', () => {
  test('is migrated like the others and stays suspended', async () => {
    const fleet = await fleets.make({ pool: 1, schema: 1, database: 1 });
    const ids = ['pool-1', 'schema-1', 'database-1'];
    for (const id of ids) await suspendTenant(fleet.fleet, id, NO);
    fleet.add(STEP);
    expect(await fleet.migrate()).toMatchObject({ status: 'succeeded', totals: { succeeded: 3 } });
    for (const versions of Object.values(await versionsOf(fleet))) expect(versions).toEqual([1, 2, 3]);
    const statuses = await fleet.catalog('select distinct status from tenantctl_catalog.tenants');
    expect(statuses).toEqual([{ status: 'suspended' }]);
    for (const id of ids) {
      const { tenant } = await activateTenant(fleet.fleet, id, NO);
      expect(tenant).toMatchObject({ status: 'active', version: { id: 3 } });
    }
  });
});

describe('a run that was interrupted', () => {
  test('lets what has begun end, is left paused, and the same call goes on with it', async () => {
    const fleet = await fleets.make({ pool: 1, schema: 5, database: 0 });
    fleet.add(STEP);
    const interruption = new AbortController();
    const interrupted = fleet.process({
      signal: interruption.signal,
      onEvent: ({ type }) => type === 'unit.started' && interruption.abort(),
    });
    const report = await fleet.migrate({ fleet: interrupted, concurrency: 1 });
    expect(report).toMatchObject({ status: 'paused', failures: [] });
    expect(report.totals).toMatchObject({ units: 6, succeeded: 1, pending: 5, failed: 0 });
    expect(report.waves.map(({ name, status }) => [name, status])).toEqual([
      ['rest', 'running'],
      ['pools', 'pending'],
    ]);
    expect(await runsOf(fleet)).toMatchObject([{ id: report.run, status: 'paused', open: true }]);
    const units =
      'select status, count(*)::int as units from tenantctl_catalog.run_units group by 1 order by 1';
    expect(await fleet.catalog(units)).toEqual([
      { status: 'pending', units: 5 },
      { status: 'succeeded', units: 1 },
    ]);
    const next = await fleet.migrate();
    expect(next).toMatchObject({ run: report.run, status: 'succeeded' });
    expect(next.totals).toMatchObject({ succeeded: 6, failed: 0, pending: 0 });
    expect(await runsOf(fleet)).toMatchObject([{ id: report.run, status: 'succeeded', open: false }]);
    for (const ids of Object.values(await versionsOf(fleet))) expect(ids).toEqual([1, 2, 3]);
    await fleet.close();
  });
});

describe('a run of other files that has not finished', () => {
  test('is a conflict that names it and the ways out, and nothing is changed', async () => {
    const fleet = await fleets.make({ pool: 0, schema: 2, database: 0 });
    await fleet.catalog(`insert into tenantctl_catalog.runs (id, kind, files_hash, actor, tool, target_id, target_name)
      values ('killed', 'migrate', 'x', 'somebody', 'x', 3, '0003_step')`);
    fleet.add(STEP);
    const before = await versionsOf(fleet);
    const refused = await failureOf(fleet.migrate());
    expect(refused).toMatchObject({ code: 'RUN_UNFINISHED', exit: 5, facts: { run: 'killed' } });
    expect(refused.hint).toContain('tenantctl runs abort killed');
    expect(await versionsOf(fleet)).toEqual(before);
    await abortRun(fleet.fleet, 'killed', false);
    expect(await fleet.migrate()).toMatchObject({ status: 'succeeded', totals: { succeeded: 2 } });
  });
});

describe('a second run at the same time', () => {
  test('is refused and changes nothing, and the first one goes on', async () => {
    const fleet = await fleets.make(
      { pool: 0, schema: 2, database: 0 },
      { rollout: { lockTimeoutMs: 30_000 } },
    );
    fleet.add(STEP);
    const schema = fleet.settings.tenancy.names.schema.replace('{id}', 'schema-1');
    const application = new pg.Client({ connectionString: fleet.sharedUrl });
    await application.connect();
    try {
      await application.query(`begin; lock table "${schema}".item in access share mode`);
      const first = fleet.migrate();
      await vi.waitUntil(
        async () => (await fleet.shared('select from pg_locks where not granted')).length > 0,
        { interval: 5, timeout: 20_000 },
      );
      const error = await failureOf(fleet.migrate({ fleet: fleet.process({}) }));
      const [run] = await runsOf(fleet);
      expect(error).toMatchObject({
        code: 'RUN_IN_PROGRESS',
        exit: 5,
        message: expect.stringContaining(
          `run ${String(run?.id).slice(0, 8)} (migrate to 0003_step, by suite, since 20`,
        ),
        hint: expect.stringContaining(`tenantctl runs watch ${String(run?.id).slice(0, 8)}`),
        facts: { run: run?.id, kind: 'migrate', actor: 'suite', startedAt: expect.stringMatching(/Z$/) },
      });
      expect(await runsOf(fleet)).toHaveLength(1);
      await application.query('commit');
      expect(await first).toMatchObject({ status: 'succeeded', totals: { succeeded: 2 } });
    } finally {
      await application.end();
      await fleet.close();
    }
  });
});
