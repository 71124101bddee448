import pg from 'pg';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { RunExplanation } from '../../src/operations/runs/explain.js';
import { json } from '../support/cli.js';
import { query, useServer } from '../support/server.js';
import { RunFleet, pauseOf } from './run-fleet.js';

const server = useServer();
const rollout = { order: 'name', concurrency: 2, lockTimeout: '200ms', retries: 2 };
let fleet: RunFleet;
const open: pg.Client[] = [];

beforeAll(async () => {
  fleet = await RunFleet.make(server.current, { pool: true, schemas: 6, databases: 1 }, { rollout });
});

afterEach(async () => {
  for (const client of open.splice(0)) await client.end();
});

/** A session of an application that has forgotten to end its transaction. */
async function forgetful(schema: string): Promise<{ client: pg.Client; pid: number }> {
  const client = new pg.Client({
    connectionString: server.current.adminUrl(`app_${fleet.project.mark}`),
    application_name: 'reporting',
  });
  open.push(client);
  await client.connect();
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  await client.query(`begin; select count(*) from "${schema}".item`);
  return { client, pid: rows[0]?.pid ?? 0 };
}

/** Waits until the server has ended what a killed process had sent. */
const nobodyAtWork = () =>
  vi.waitUntil(
    async () => {
      const ours = `select from pg_stat_activity where application_name like 'tenantctl/%'`;
      return (await query(server.current.superuserUrl('postgres'), ours)).length === 0;
    },
    { interval: 20, timeout: 30_000 },
  );

const explained = async () => json<RunExplanation>(await fleet.project.do('runs', 'explain', '--json')).data;

const RIVALS = [
  ['migrate'],
  ['migrate', '--select', 'tier=schema'],
  ['runs', 'resume'],
  ['rollback', '--to', '1', '--allow-data-loss', '--yes'],
];

describe('two runs at once over the same units', () => {
  it('from two processes are one run: another process is refused while it goes on', async () => {
    const step = fleet.add(`select ${pauseOf(1)};`);
    const running = fleet.project.launch('migrate', '--json');
    await vi.waitUntil(async () => (await fleet.countOf(step)) > 0, { interval: 20, timeout: 30_000 });
    const rivals = await Promise.all(RIVALS.map((args) => fleet.project.run(...args, '--json')));
    expect(await fleet.countOf(step)).toBeLessThan(7);
    for (const rival of rivals) expect(json(rival).error).toMatchObject({ code: 'RUN_IN_PROGRESS', exit: 5 });
    expect((await running.ended).code).toBe(0);
    await fleet.hasEachStepOnce(step);
  });

  it('that begin at the same moment leave each migration once, whoever is first', async () => {
    for (let round = 0; round < 3; round += 1) {
      const step = fleet.add();
      const ends = await Promise.all([1, 2, 3].map(() => fleet.project.run('migrate', '--json')));
      const codes = ends.map(({ code }) => code).toSorted();
      expect(codes[0], ends.map(({ stdout }) => stdout).join()).toBe(0);
      for (const ran of ends.filter(({ code }) => code !== 0))
        expect(json(ran).error).toMatchObject({ code: 'RUN_IN_PROGRESS', exit: 5 });
      await fleet.hasEachStepOnce(step);
    }
  });
});

describe('a long transaction that blocks', () => {
  it('is named by `runs explain` with its process, its application and what it does', async () => {
    const schema = fleet.schemaOf(2);
    const { client, pid } = await forgetful(schema);
    const step = fleet.add();
    const report = await fleet.report(7, 'migrate', '--on-failure', 'continue');
    expect(report.failures).toMatchObject([{ unit: 'schema:schema-2', sqlstate: '55P03' }]);
    const { units } = await explained();
    expect(units).toMatchObject([{ unit: 'schema:schema-2', status: 'failed' }]);
    const sentence = units[0]?.sentence ?? '';
    expect(sentence).toMatch(/^failed in \d{4}_step.*: .*SQLSTATE 55P03/s);
    expect(sentence).toMatch(new RegExp(`blocked by pid ${pid} .reporting. \\(idle in transaction for `));
    await client.query('commit');
    expect(await fleet.report(0, 'runs', 'retry')).toMatchObject({ status: 'succeeded' });
    await fleet.hasEachStepOnce(step);
  });

  it('that ends in time is waited for, and the run knows of no failure', async () => {
    const { client, pid } = await forgetful(fleet.schemaOf(2));
    const step = fleet.add();
    const running = fleet.project.launch('migrate', '--events', '-');
    await running.said(`waits for a lock, blocked by pid ${pid}`);
    await client.query('commit');
    const ran = await running.ended;
    expect(ran.code, ran.stderr).toBe(0);
    await fleet.hasEachStepOnce(step);
  });
});

const EDITED = [
  ['runs resume', 'RUN_FILES_CHANGED'],
  ['runs retry', 'RUN_FILES_CHANGED'],
  ['migrate', 'MIGRATION_EDITED'],
] as const;

describe('a file that is edited while its run goes on', () => {
  it('changes nothing for the run, which is not resumed with it, and is with the file as it was', async () => {
    const step = fleet.add(`select ${pauseOf(1)};`);
    const running = fleet.project.launch('migrate');
    await vi.waitUntil(async () => (await fleet.countOf(step)) > 0, { interval: 20, timeout: 30_000 });
    const back = fleet.editNewest('create table edited ();');
    await vi.waitUntil(async () => (await fleet.countOf(step)) > 2, { interval: 20, timeout: 30_000 });
    running.kill();
    expect((await running.ended).signal).toBe('SIGKILL');
    await nobodyAtWork();
    const before = await fleet.units();
    expect(before.filter(({ trace }) => !trace.includes(step))).not.toEqual([]);
    for (const [command, code] of EDITED) {
      const refused = await fleet.project.run(...command.split(' '), '--json');
      const error = json(refused).error;
      expect(error, command).toMatchObject({ code, exit: 3 });
      expect(error?.message).toContain(`${step}_step`);
    }
    expect(await fleet.units()).toEqual(before);
    back();
    await fleet.report(0, 'runs', 'resume');
    await fleet.hasEachStepOnce(step);
  });
});

describe('a file with its own COMMIT', () => {
  it.each(['', '-- tenantctl: no-transaction\n'])(
    'is refused with its line before anything is touched (%j)',
    async (first) => {
      const before = await fleet.units();
      const back = fleet.addBroken(`${first}create table half ();\ncommit;\ncreate table other ();`);
      const refused = await fleet.project.run('migrate', '--json');
      expect(json(refused).error).toMatchObject({ code: 'MIGRATION_CONTROL_STATEMENT', exit: 3 });
      expect(json(refused).error?.message).toContain('cannot contain COMMIT');
      back();
      expect(await fleet.units()).toEqual(before);
      expect(await fleet.catalog('select from tenantctl_catalog.runs where finished_at is null')).toEqual([]);
    },
  );
});
