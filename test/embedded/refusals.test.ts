import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { explainFailure } from '../../src/embedded/failure.js';
import { findLocalServer, startLocalServer, stopLocalServer } from '../../src/embedded/server.js';
import {
  failure,
  isRoot,
  ordinaryUser,
  otherMajorBin,
  project,
  query,
  scratch,
  startChild,
  template,
} from './support.js';

vi.setConfig({ testTimeout: 20_000, hookTimeout: 30_000 });

let from: string;
beforeAll(async () => {
  from = await template();
});

describe('data of another major version', () => {
  it('is refused with both versions and the remedy, even in a folder of the right name', async () => {
    const directory = project();
    await (await startLocalServer({ directory, from, lifetime: 'tied' })).stop();
    const cluster = path.join(directory, 'pg18');
    writeFileSync(path.join(cluster, 'data/PG_VERSION'), '17\n');
    const error = await failure(startLocalServer({ directory, lifetime: 'tied' }));
    expect(error).toMatchObject({ code: 'LOCAL_SERVER_OTHER_MAJOR', exit: 5 });
    expect(error.message).toMatch(/PostgreSQL 17.*PostgreSQL 18/);
    expect(error.hint).toContain('TENANTCTL_PG_BIN');
    expect(error.hint).toContain(cluster);
  });

  const bin = otherMajorBin();
  const skipped = bin ? '' : ' (skipped: no binaries of PostgreSQL 15 here)';
  it.skipIf(skipped)(`is served by its own binaries, and by no others${skipped}`, async () => {
    const directory = project();
    const env = { ...process.env, TENANTCTL_PG_BIN: bin };
    const server = await startLocalServer({ directory, lifetime: 'tied', env });
    expect(server).toMatchObject({ major: 15, version: expect.stringMatching(/^15\.\d+$/) });
    const [role] = await query(
      server.adminUrl('postgres'),
      'select version() like $$PostgreSQL 15.%$$ as fits',
    );
    expect(role).toEqual({ fits: true });
    const running = await failure(startLocalServer({ directory, lifetime: 'tied' }));
    expect(running.code).toBe('LOCAL_SERVER_OTHER_MAJOR');
    expect(await findLocalServer(directory)).toMatchObject({ pid: server.pid, version: server.version });
    await server.stop();
    const stopped = await failure(startLocalServer({ directory, lifetime: 'tied' }));
    expect(stopped.message).toMatch(/PostgreSQL 15.*PostgreSQL 18/);
    expect(existsSync(path.join(directory, 'pg18'))).toBe(false);
  });
});

describe.runIf(isRoot)('for root', () => {
  it("a project below a closed folder has its data where the server's user can reach it", async () => {
    const closed = scratch();
    chmodSync(closed, 0o700);
    const directory = path.join(closed, 'app/.tenantctl');
    const server = await startLocalServer({ directory, lifetime: 'tied' });
    const home = readFileSync(path.join(directory, 'location'), 'utf8').trim();
    try {
      expect(home).toMatch(/^\/var\/lib\/tenantctl\/[0-9a-f]{16}$/);
      expect(server.dataDirectory).toBe(path.join(home, 'pg18/data'));
      expect(await findLocalServer(directory)).toMatchObject({ pid: server.pid });
      expect(await stopLocalServer(directory)).toBe(true);
      const again = await startLocalServer({ directory, lifetime: 'tied' });
      expect(again.dataDirectory).toBe(server.dataDirectory);
      await again.stop();
    } finally {
      await stopLocalServer(directory);
      rmSync(home, { recursive: true });
    }
  });

  it('the server runs as an unprivileged user, who can read no password', async () => {
    const directory = project();
    const server = await startLocalServer({ directory, from, lifetime: 'tied' });
    expect(statSync(server.dataDirectory).uid).not.toBe(0);
    expect(statSync(path.join(directory, 'pg18/password'))).toMatchObject({ uid: 0 });
    await server.stop();
  });

  it('a user of the machine without a name is told why initdb fails', async () => {
    const nameless = { uid: 54321, gid: 54321 };
    const { code, message, hint } = await startChild(
      { directory: project(nameless), lifetime: 'tied' },
      nameless,
    ).answer;
    expect(code).toBe('LOCAL_SERVER_UNKNOWN_UID');
    expect(message).toContain('54321');
    expect(hint).toContain('/etc/passwd');
  });
});

const user = ordinaryUser();
const reason = typeof user === 'string' ? ` (skipped: ${user})` : '';
describe.skipIf(reason)(`for an ordinary user${reason}`, () => {
  const as = typeof user === 'string' || !isRoot ? undefined : user;

  it('everything works, and everything is theirs, also when root starts it later', async () => {
    const directory = project(as);
    const child = startChild({ directory, lifetime: 'tied' }, as);
    const answer = await child.answer;
    expect(answer).toMatchObject({ adopted: false });
    expect(await query(answer.adminUrl, 'select 1 as one')).toEqual([{ one: 1 }]);
    await child.end();
    const next = await startLocalServer({ directory, lifetime: 'tied' });
    await next.stop();
    const uid = as?.uid ?? process.geteuid?.();
    for (const name of ['data', 'password', 'admin-password', 'postgres.log', 'last-start.json']) {
      expect([name, statSync(path.join(directory, 'pg18', name)).uid]).toEqual([name, uid]);
    }
    const last = startChild({ directory, lifetime: 'tied' }, as);
    expect(await last.answer).toMatchObject({ adopted: false });
    await last.end();
  });

  it('a folder that they may not write is a permission error with a hint', async () => {
    const closed = scratch();
    chmodSync(closed, 0o555);
    const { code, hint } = await startChild({ directory: path.join(closed, 'x'), lifetime: 'tied' }, as)
      .answer;
    expect(code).toBe('LOCAL_SERVER_PERMISSION');
    expect(hint).toBeTruthy();
  });

  it.runIf(isRoot)("root's server is not theirs, and they are told whose it is", async () => {
    const directory = project();
    const server = await startLocalServer({ directory, from, lifetime: 'tied' });
    const { code, hint } = await startChild({ directory, lifetime: 'tied' }, as).answer;
    expect(code).toBe('LOCAL_SERVER_NOT_YOURS');
    expect(hint).toContain('root');
    await server.stop();
  });
});

describe('what PostgreSQL says when it fails', () => {
  it.each([
    ['could not extend file "base/5/1": No space left on device', 'LOCAL_SERVER_DISK_FULL', 4],
    ['FATAL: data directory "/x" has wrong ownership', 'LOCAL_SERVER_PERMISSION', 4],
    ['FATAL: could not map anonymous shared memory: Cannot allocate memory', 'LOCAL_SERVER_MEMORY', 4],
    ['FATAL: pre-existing shared memory block (key 1, ID 2) is still in use', 'LOCAL_SERVER_ORPHANS', 5],
    ['PANIC: something new', 'LOCAL_SERVER_FAILED', 4],
  ])('%s', (said, code, exit) => {
    const error = explainFailure('It failed', said, { log: '/x' });
    expect(error).toMatchObject({ code, exit, message: `It failed: ${said}`, facts: { log: '/x' } });
  });
});

it('a cluster that lost its files is no reason to make an empty one in its place', async () => {
  const directory = project();
  mkdirSync(path.join(directory, 'pg18'), { recursive: true });
  expect(await failure(startLocalServer({ directory, lifetime: 'tied' }))).toMatchObject({
    code: 'LOCAL_SERVER_DAMAGED',
    exit: 5,
  });
});
