import { once } from 'node:events';
import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { lookUp } from '../../src/embedded/processes.js';
import { startLocalServer, type LocalServer } from '../../src/embedded/server.js';
import { isRoot, project, query, startChild, template, until } from './support.js';

vi.setConfig({ testTimeout: 20_000, hookTimeout: 30_000 });

// Tests that leave a working cluster behind share it: a copy costs more than most of them.
let from: string;
let directory: string;
beforeAll(async () => {
  from = await template();
  directory = project();
});

const start = (): Promise<LocalServer> => startLocalServer({ directory, from, lifetime: 'tied' });
const pidFile = (server: LocalServer): string => path.join(server.dataDirectory, 'postmaster.pid');

/** The id of a process that has ended. */
const deadPid = (): number => spawnSync('true').pid;

async function expectToWork(server: LocalServer): Promise<void> {
  expect(server.adopted).toBe(false);
  expect(await query(server.adminUrl('postgres'), 'select 1 as one')).toEqual([{ one: 1 }]);
  await server.stop();
}

describe('a postmaster.pid left behind', () => {
  async function leave(pid: number): Promise<void> {
    const server = await start();
    const lines = readFileSync(pidFile(server), 'utf8').split('\n');
    await server.stop();
    writeFileSync(pidFile(server), [pid, ...lines.slice(1)].join('\n'));
  }

  /** A process of the server's user, which is what PostgreSQL itself takes for a rival. */
  function bystander(file: string, args: string[] = []) {
    const { uid, gid } = statSync(path.join(from, 'pg18/data'));
    return spawn(file, args, { ...(isRoot && { uid, gid }), stdio: ['pipe', 'pipe', 'ignore'], cwd: '/' });
  }

  it('by a dead server is no obstacle', async () => {
    await leave(deadPid());
    await expectToWork(await start());
  });

  it('by a killed server whose parent has not looked after it is no obstacle', async () => {
    // The shell becomes a program that knows of no child.
    const careless = bystander('sh', ['-c', 'sleep 600 & echo $!; exec cat']);
    const [said] = (await once(careless.stdout, 'data')) as [Buffer];
    const zombie = Number(said.toString());
    await until(() => lookUp(careless.pid ?? -1)?.command === 'cat', 'the shell is another program');
    process.kill(zombie, 'SIGKILL');
    await until(() => lookUp(zombie) === undefined, 'its child has ended');
    expect(() => process.kill(zombie, 0)).not.toThrow();
    await leave(zombie);
    await expectToWork(await start());
    careless.stdin.end();
  });

  it('is no obstacle when its id belongs to another process now, which is left alone', async () => {
    const other = bystander('cat');
    await leave(other.pid ?? -1);
    await expectToWork(await start());
    expect(other.exitCode).toBeNull();
    other.stdin.end();
  });

  it("is no obstacle when its id belongs to another project's server now, which is not adopted", async () => {
    const other = await startLocalServer({ directory: project(), from, lifetime: 'tied' });
    await leave(other.pid);
    await expectToWork(await start());
    expect(await query(other.adminUrl('postgres'), 'select 1 as one')).toEqual([{ one: 1 }]);
    await other.stop();
  });

  it("in a copy of a running project does not pass for the copy's server", async () => {
    const copy = await start();
    await copy.stop();
    const original = await startLocalServer({ directory: project(), from, lifetime: 'tied' });
    copyFileSync(pidFile(original), pidFile(copy));
    await expectToWork(await start());
    await original.stop();
  });
});

describe('after kill -9 of the server', () => {
  async function kill({ pid }: LocalServer): Promise<void> {
    process.kill(pid, 'SIGKILL');
    await until(() => lookUp(pid) === undefined, 'the server is dead');
  }

  it('the next start recovers, with everything that was committed', async () => {
    const killed = await start();
    await query(killed.adminUrl('postgres'), 'create database kept');
    await kill(killed);
    const server = await start();
    expect(server.pid).not.toBe(killed.pid);
    expect(await query(server.adminUrl('kept'), 'select current_database() as name')).toEqual([
      { name: 'kept' },
    ]);
    await server.stop();
    await killed.stop();
  });

  it('the next start waits for the last processes of the killed one', async () => {
    const killed = await start();
    const client = new pg.Client(killed.superuserUrl('postgres'));
    client.on('error', () => {});
    await client.connect();
    const [backend] = (await client.query<{ pid: number }>('select pg_backend_pid() as pid')).rows;
    const busy = client.query(`do $$ begin
      while clock_timestamp() < statement_timestamp() + interval '700 ms' loop end loop; end $$`);
    await until(
      async () => (await activeBackends(killed)).includes(backend?.pid ?? 0),
      'the backend is at work',
    );
    await kill(killed);
    await Promise.all([start().then(expectToWork), busy.catch(() => {}), client.end().catch(() => {})]);
    await killed.stop();
  });

  async function activeBackends(server: LocalServer): Promise<number[]> {
    const rows = await query<{ pid: number }>(
      server.superuserUrl('postgres'),
      `select pid from pg_stat_activity where state = 'active' and query like 'do %'`,
    );
    return rows.map(({ pid }) => pid);
  }
});

describe('after kill -9 of a command', () => {
  it('in the midst of making the cluster, the next one makes it and clears the remains', async () => {
    const unmade = project();
    const entries = (): string[] => (existsSync(unmade) ? readdirSync(unmade) : []);
    const drafts = (): string[] => entries().filter((name) => name.startsWith('pg18.new-'));
    const killed = startChild({ directory: unmade, lifetime: 'free' });
    killed.answer.catch(() => {});
    await until(() => drafts().length === 1, 'the cluster is being made');
    await killed.end('SIGKILL');
    expect(entries()).not.toContain('pg18');
    await expectToWork(await startLocalServer({ directory: unmade, lifetime: 'tied' }));
    expect(drafts()).toEqual([]);
  });

  it('that held the lock, the next one takes it over', async () => {
    await (await start()).stop();
    writeFileSync(path.join(directory, 'lock.141'), `${deadPid()} 12345`);
    await expectToWork(await start());
    expect(readdirSync(directory).filter((name) => name.startsWith('lock.'))).toEqual(['lock.142']);
  });

  it('that held the lock, another process with its id is not taken for it', async () => {
    await (await start()).stop();
    writeFileSync(path.join(directory, 'lock.241'), `${process.pid} 12345`);
    await expectToWork(await start());
  });
});
