import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { findLocalServer, startLocalServer, stopLocalServer } from '../../src/embedded/server.js';
import { project, query, startChild, template, until } from './support.js';

vi.setConfig({ testTimeout: 20_000, hookTimeout: 30_000 });

let from: string;
beforeAll(async () => {
  from = await template();
});

const isGone = (dataDirectory: string): boolean => !existsSync(path.join(dataDirectory, 'postmaster.pid'));
const logOf = (directory: string): string => readFileSync(path.join(directory, 'pg18/postgres.log'), 'utf8');

describe('a tied server', () => {
  it('goes, cleanly, when its parent is killed with -9', async () => {
    const directory = project();
    const parent = startChild({ directory, from, lifetime: 'tied' });
    const { dataDirectory, adminUrl } = await parent.answer;
    expect(await query(adminUrl, 'select 1 as one')).toEqual([{ one: 1 }]);
    await parent.end('SIGKILL');
    await until(() => isGone(dataDirectory), 'the server is gone');
    // The server says so after it has removed its file.
    await until(() => logOf(directory).includes('database system is shut down'), 'the server says so');
    expect(await findLocalServer(directory)).toBeUndefined();
  });

  it('lets its parent end without stop(), and goes with it', async () => {
    const parent = startChild({ directory: project(), from, lifetime: 'tied' });
    const { dataDirectory } = await parent.answer;
    await parent.end();
    await until(() => isGone(dataDirectory), 'the server is gone');
  });
});

describe('a free server', () => {
  it('outlives kill -9 of its parent, and the next command adopts it', async () => {
    const directory = project();
    const parent = startChild({ directory, from, lifetime: 'free' });
    const { pid, adminUrl } = await parent.answer;
    await parent.end('SIGKILL');
    const adopted = await startLocalServer({ directory, lifetime: 'free' });
    expect(adopted).toMatchObject({ pid, adopted: true, major: 18 });
    expect(adopted.version).toMatch(/^18\.\d/);
    expect(adopted.adminUrl('postgres')).toBe(adminUrl);
    expect(await query(adopted.adminUrl('postgres'), 'select 1 as one')).toEqual([{ one: 1 }]);
    await adopted.stop();
    expect(isGone(adopted.dataDirectory)).toBe(true);
  });

  it('lets its parent end, and is found and stopped by its directory', async () => {
    const directory = project();
    const parent = startChild({ directory, from, lifetime: 'free' });
    const { pid, dataDirectory } = await parent.answer;
    await parent.end();
    expect(await findLocalServer(directory)).toMatchObject({ pid, dataDirectory, adopted: true });
    expect(await stopLocalServer(directory)).toBe(true);
    expect(isGone(dataDirectory)).toBe(true);
    expect(await stopLocalServer(directory)).toBe(false);
    expect(await findLocalServer(directory)).toBeUndefined();
  });
});

describe('several commands at once', () => {
  it('share one server, whose cluster was made once, when each is a process', async () => {
    const directory = project();
    const commands = [1, 2, 3].map(() => startChild({ directory, lifetime: 'free' }));
    const answers = await Promise.all(commands.map(({ answer }) => answer));
    expect(answers.map(({ adopted }) => adopted).sort()).toEqual([false, true, true]);
    expect(new Set(answers.map(({ adminUrl }) => adminUrl)).size).toBe(1);
    expect(logOf(directory).match(/starting PostgreSQL/g)).toHaveLength(1);
    await Promise.all(commands.map((command) => command.end()));
  });

  it('share one server when they are calls in one process', async () => {
    const directory = project();
    const servers = await Promise.all(
      [1, 2].map(() => startLocalServer({ directory, from, lifetime: 'tied' })),
    );
    expect(servers.map(({ adopted }) => adopted).sort()).toEqual([false, true]);
    expect(new Set(servers.map(({ pid }) => pid)).size).toBe(1);
    await servers[0]?.stop();
  });
});

it('a place where nothing was ever started holds no server, and asking makes nothing', async () => {
  const directory = project();
  expect(await findLocalServer(directory)).toBeUndefined();
  expect(await stopLocalServer(directory)).toBe(false);
  expect(existsSync(directory)).toBe(false);
});
