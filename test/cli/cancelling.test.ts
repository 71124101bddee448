import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { directoryOf, numbered, writeFiles } from '../engine/ledger/directory.js';
import { Project } from '../kill/project.js';
import type { Running } from '../support/cli.js';
import { newFolder } from '../support/folder.js';
import { query, useServer, withClient } from '../support/server.js';

const server = useServer();

/** What the second signal may take at most, and a slow machine on top. */
const BOUND_MS = 3_000 + 2_000;

const OURS = `from pg_stat_activity where application_name like 'tenantctl/%' and state = 'active'`;
const SLEEPING = `select pid ${OURS} and wait_event = 'PgSleep'`;
/** Hangs until somebody says that it may go on. */
const hangs = ({ mark }: Project) => `create table hung (tenant_id uuid);
  select pg_sleep(case when current_setting('test.go_on', true) = '${mark}' then 0 else 600 end);`;

const outside = <Row extends object>(text: string) =>
  query<Row & object>(server.current.superuserUrl('postgres'), text);

/** A fleet with one tenant a tier, whose next migration hangs. */
async function hangingFleet(): Promise<Project> {
  const migrations = directoryOf(numbered('create table item (tenant_id uuid not null);'));
  const seed = join(newFolder(), 'seed.sql');
  writeFileSync(seed, 'select 1;');
  const project = await new Project(server.current, { migrations, seed }).install();
  const keys = { pool: 1, schema: 2, database: 3 };
  await project.provisionAll((tier) => `7b0c1a5e-4a1c-4a53-9d5b-2f6f3c1d9e0${keys[tier]}`);
  writeFiles(migrations, { '0002_hangs.sql': hangs(project) });
  return project;
}

async function sleeping(count: number): Promise<void> {
  while ((await outside(SLEEPING)).length < count);
}

/** Sends both signals; gives the milliseconds from the second one to the end. */
async function interruptTwice(running: Running): Promise<number> {
  running.interrupt();
  await running.said('Ctrl-C again cancels what is running');
  const second = performance.now();
  running.interrupt();
  await running.ended;
  return performance.now() - second;
}

/** Rows of the second migration in all ledgers of the fleet, whatever their state. */
async function rowsOfSecond({ mark }: Project): Promise<unknown[]> {
  const own = ['pool', 'schema', 'database'].map((id) => `d_${mark}_${id}`);
  const databases = await outside<{ name: string }>(
    `select datname as name from pg_database where datname in ('app_${mark}', '${own.join("', '")}')`,
  );
  const rows = databases.map(({ name }) =>
    query(server.current.superuserUrl(name), 'select * from tenantctl.ledger where name like $1', [
      '%hangs%',
    ]),
  );
  expect(databases).toHaveLength(2);
  return (await Promise.all(rows)).flat();
}

describe('Ctrl-C twice', () => {
  it('cancels every statement on the server, leaves no trace of them, and the same command goes on', async () => {
    const project = await hangingFleet();
    const running = project.launch('migrate', '--concurrency', '3');
    await sleeping(1);
    expect(await interruptTwice(running)).toBeLessThan(BOUND_MS);
    expect(await running.ended).toMatchObject({ code: 130, signal: null });
    expect(await outside(SLEEPING)).toEqual([]);
    expect(await rowsOfSecond(project)).toEqual([]);
    const units = 'select distinct status from tenantctl_catalog.run_units';
    expect(await query(project.catalogUrl, units)).toEqual([{ status: 'pending' }]);
    await outside(`alter role tenantctl_admin set test.go_on = '${project.mark}'`);
    await project.do('migrate');
    expect(await rowsOfSecond(project)).toHaveLength(3);
  });

  it('cancels what hangs in the catalog as well', async () => {
    const project = await hangingFleet();
    await withClient(server.current.superuserUrl(`catalog_${project.mark}`), async (client) => {
      await client.query('begin; lock table tenantctl_catalog.units in access exclusive mode');
      const waiting = `select pid ${OURS} and wait_event_type = 'Lock'`;
      const running = project.launch('migrate');
      while ((await outside(waiting)).length === 0);
      expect(await interruptTwice(running)).toBeLessThan(BOUND_MS);
      expect((await running.ended).code).toBe(130);
      expect(await outside(waiting)).toEqual([]);
    });
  });

  it('leaves in time from a server that answers nobody', async () => {
    const project = await hangingFleet();
    const running = project.launch('migrate');
    await sleeping(1);
    process.kill(server.current.pid, 'SIGSTOP');
    try {
      expect(await interruptTwice(running)).toBeLessThan(BOUND_MS);
      expect((await running.ended).code).toBe(130);
    } finally {
      process.kill(server.current.pid, 'SIGCONT');
    }
    await outside(`select pg_terminate_backend(pid) ${OURS}`);
  });
});
