import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { RunReport } from '../../src/core/report.js';
import { LOCK_CLASS } from '../../src/pg/locks.js';
import { type Running, json } from '../support/cli.js';
import { query } from '../support/server.js';
import { useDurableServer } from './durable-server.js';
import { SEED, numbersFrom } from './random.js';
import { RunFleet, pauseOf } from './run-fleet.js';

const UNITS = 12;
const SLOWLY = `select ${pauseOf(0.5)};`;
/** About what such a run takes, with the start of the process. */
const TAKES_MS = 4_500;
const tenants = useDurableServer();
const catalog = useDurableServer();

/** A fleet whose catalog is with its tenants, and one whose catalog is on a server of its own. */
let fleet: RunFleet;
let apart: RunFleet;

beforeAll(async () => {
  const waves = [{ name: 'first', max: UNITS / 2 }, { name: 'second' }];
  const rollout = { order: 'name', concurrency: 2, waves };
  fleet = await RunFleet.make(tenants.current, { schemas: UNITS }, { rollout });
  apart = await RunFleet.make(tenants.current, { schemas: UNITS }, { rollout, catalog });
});

/** Waits until some units of a running fleet have the step; the others do not have it yet. */
async function midWave(running: Running, { countOf }: { countOf: () => Promise<number> }): Promise<void> {
  const ended = running.ended.then(({ code, stdout, stderr }) => {
    throw new Error(`it ended with ${code}: ${stdout}${stderr}`);
  });
  await Promise.race([
    ended,
    vi.waitUntil(async () => (await countOf()) >= 2, { interval: 20, timeout: 30_000 }),
  ]);
  expect(await countOf()).toBeLessThan(UNITS / 2);
}

/** The run must have ended well by itself. */
async function endsWell(running: Running): Promise<RunReport> {
  const ran = await running.ended;
  expect(ran, ran.stderr + ran.stdout).toMatchObject({ code: 0, signal: null });
  const { data } = json<RunReport>(ran);
  expect(data).toMatchObject({ status: 'succeeded', totals: { succeeded: UNITS, failed: 0 } });
  return data;
}

describe('a run whose server is restarted in the middle of a wave', () => {
  it.each(['SIGINT', 'SIGQUIT'] as const)(
    'goes on by itself and has each migration once (%s)',
    async (signal) => {
      const step = fleet.add(SLOWLY);
      const running = fleet.project.launch('migrate', '--json');
      await midWave(running, { countOf: () => fleet.countOf(step) });
      await tenants.stop(signal);
      const { port } = tenants.current;
      expect((await tenants.start()).port).toBe(port);
      await endsWell(running);
      await fleet.hasEachStepOnce(step);
    },
  );
});

const random = numbersFrom(SEED);
const MOMENTS = Array.from({ length: 8 }, (_, index) => ({
  signal: index % 2 === 0 ? ('SIGINT' as const) : ('SIGQUIT' as const),
  moment: (index + random()) / 8,
}));

describe(`a run whose server is restarted at any moment (KILL_SEED=${SEED})`, () => {
  it.each(MOMENTS)(
    'goes on by itself, or says so and goes on when told: $signal at $moment',
    async ({ signal, moment }) => {
      const step = fleet.add(SLOWLY);
      const running = fleet.project.launch('migrate', '--json');
      await pause(moment * TAKES_MS);
      await tenants.stop(signal);
      await tenants.start();
      const ran = await running.ended;
      if (ran.code !== 0) {
        expect(json(ran).error, ran.stderr + ran.stdout).toMatchObject({ code: 'CANNOT_CONNECT', exit: 4 });
        await fleet.report(0, ...(await fleet.command()));
      }
      await fleet.hasEachStepOnce(step);
    },
  );
});

describe('a run whose catalog is down for ten seconds in the middle of a wave', () => {
  it.each(['SIGINT', 'SIGQUIT'] as const)(
    'ends the wave without it, and the run when it is back (%s)',
    async (signal) => {
      const step = apart.add(SLOWLY);
      const running = apart.project.launch('migrate', '--json');
      await midWave(running, { countOf: () => apart.countOf(step) });
      const { port } = catalog.current;
      await catalog.stop(signal);
      await pause(10_000);
      expect(await apart.countOf(step)).toBe(UNITS / 2);
      expect((await catalog.start()).port).toBe(port);
      await endsWell(running);
      await apart.hasEachStepOnce(step);
      expect(await apart.stored()).toEqual({
        status: 'succeeded',
        waves: ['succeeded'],
        units: ['succeeded'],
      });
    },
  );
});

/** Ends one session of the tool on the tenants' server. */
async function endOne(which: string): Promise<void> {
  const end = `select pg_terminate_backend(pid, 20000) from pg_stat_activity where application_name like 'tenantctl/%' and ${which} limit 1`;
  await vi.waitUntil(async () => (await query(tenants.current.superuserUrl('postgres'), end)).length, {
    interval: 20,
    timeout: 30_000,
  });
}

/** A transaction that has written to a unit and does not end: an index build waits for it. */
async function writerIn(schema: string): Promise<{ holder: pg.Client; pid: number }> {
  const holder = new pg.Client({ connectionString: fleet.sharedUrl });
  await holder.connect();
  const { rows } = await holder.query<{ pid: number }>('select pg_backend_pid() as pid');
  await holder.query(`begin; insert into "${schema}".item values (1)`);
  return { holder, pid: rows[0]?.pid ?? 0 };
}

const invalidIndexes = (step: number) =>
  query(
    fleet.sharedUrl,
    `select c.relnamespace::regnamespace::text as schema from pg_index i join pg_class c on c.oid = i.indexrelid
      where not i.indisvalid and c.relname like 'i${step}%'`,
  );

describe('a run that loses a session', () => {
  it('in the middle of DDL does that unit again, once', async () => {
    const step = fleet.add(SLOWLY);
    const running = fleet.project.launch('migrate', '--json');
    await endOne(`wait_event = 'PgSleep' and backend_xid is not null`);
    await endsWell(running);
    await fleet.hasEachStepOnce(step);
  });

  it('in the middle of a concurrent index build drops what it left, and builds it again', async () => {
    const unit = fleet.schemaOf(3);
    const { holder, pid } = await writerIn(unit);
    const step = fleet.addIndex();
    const running = fleet.project.launch('migrate', '--json');
    await endOne(`${pid} = any (pg_blocking_pids(pid))`);
    expect(await invalidIndexes(step)).toContainEqual({ schema: `"${unit}"` });
    await holder.end();
    await endsWell(running);
    await fleet.hasEachStepOnce(step);
    expect(await invalidIndexes(step)).toEqual([]);
  });

  it('that held the lock of the run: a second driver may come, and each migration is done once', async () => {
    const step = fleet.add(`select ${pauseOf(1.5)};`);
    const one = fleet.project.launch('migrate', '--json');
    await midWave(one, { countOf: () => fleet.countOf(step) });
    const refused = await fleet.project.run('runs', 'resume', '--json');
    expect(json(refused).error).toMatchObject({ code: 'RUN_IN_PROGRESS', exit: 5 });
    await endOne(
      `pid in (select pid from pg_locks where locktype = 'advisory' and granted and classid = ${LOCK_CLASS.cluster})`,
    );
    const other = fleet.project.launch('runs', 'resume', '--json');
    const resumed = `select from tenantctl_catalog.run_decisions d join tenantctl_catalog.runs r on r.id = d.run
      where d.decision = 'resumed' and r.finished_at is null`;
    await vi.waitUntil(async () => (await fleet.catalog(resumed)).length > 0, {
      interval: 20,
      timeout: 30_000,
    });
    expect(await fleet.countOf(step)).toBeLessThan(UNITS);
    for (const running of [one, other]) await endsWell(running);
    await fleet.hasEachStepOnce(step);
  });
});
