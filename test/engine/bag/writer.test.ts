import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodePath, encodePath, leavesFolder, tableFile } from '../../../src/engine/bag/layout.js';
import { manifestText, parseManifest } from '../../../src/engine/bag/tag-text.js';
import { verifyBag } from '../../../src/engine/bag/verify.js';
import { BagWriter } from '../../../src/engine/bag/writer.js';
import { failureOf } from '../ledger/directory.js';
import { newFolder } from '../../support/folder.js';
import { TABLE, chunks, filesOf, newKey, sha256, smallBag } from './bags.js';

/** Checks a folder by the rules of RFC 8493 alone, without any code of ours. */
function assertBag(directory: string): void {
  expect(readFileSync(join(directory, 'bagit.txt'), 'utf8')).toBe(
    'BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n',
  );
  const lines = (file: string) => readFileSync(join(directory, file), 'utf8').trimEnd().split('\n');
  const listed = (file: string) =>
    lines(file).map((line) => {
      const [sum, path] = [line.slice(0, 64), line.slice(66)];
      const name = path.replaceAll('%0A', '\n').replaceAll('%0D', '\r').replaceAll('%25', '%');
      expect(sha256(readFileSync(join(directory, name))), name).toBe(sum);
      return name;
    });
  const files = filesOf(directory);
  const data = files.filter((file) => file.startsWith('data/'));
  expect(listed('manifest-sha256.txt').toSorted()).toEqual(data);
  expect(listed('tagmanifest-sha256.txt').toSorted()).toEqual(
    files.filter((file) => !file.startsWith('data/') && file !== 'tagmanifest-sha256.txt'),
  );
  const bytes = data.reduce((sum, file) => sum + statSync(join(directory, file)).size, 0);
  expect(lines('bag-info.txt')).toContain(`Payload-Oxum: ${bytes}.${data.length}`);
}

const hasSha256sum = existsSync('/usr/bin/sha256sum');

describe('a written export', () => {
  it.each([[undefined], [newKey()]])('is a bag by the rules of the RFC', async (key) => {
    assertBag(await smallBag(key === undefined ? {} : { key }));
  });

  it.skipIf(!hasSha256sum)('is verified by sha256sum, which knows nothing of us', async () => {
    const directory = await smallBag({ key: newKey() });
    for (const list of ['manifest-sha256.txt', 'tagmanifest-sha256.txt'])
      execFileSync('sha256sum', ['--check', '--strict', '--quiet', list], { cwd: directory });
    writeFileSync(join(directory, TABLE), 'other');
    expect(() =>
      execFileSync('sha256sum', ['--check', '--status', 'manifest-sha256.txt'], { cwd: directory }),
    ).toThrow();
  });

  it('leaves nothing beside itself', async () => {
    const directory = await smallBag();
    expect(readdirSync(dirname(directory))).toEqual(['acme']);
  });
});

describe('the place of an export', () => {
  it.each([
    ['a folder', (path: string) => mkdirSync(path)],
    ['a file', (path: string) => writeFileSync(path, '')],
    ['a link that leads nowhere', (path: string) => symlinkSync('/nowhere/at/all', path)],
  ])('is not taken from %s that is there', async (_what, make) => {
    const directory = join(newFolder(), 'acme');
    make(directory);
    const failure = await failureOf(BagWriter.open(directory));
    expect([failure.code, failure.exit]).toEqual(['EXPORT_TARGET_EXISTS', 5]);
    expect(existsSync(`${directory}.partial`)).toBe(false);
  });

  it('is not taken when something has come there meanwhile', async () => {
    const directory = join(newFolder(), 'acme');
    const bag = await BagWriter.open(directory);
    await bag.write('data/x', 'x');
    mkdirSync(directory);
    writeFileSync(join(directory, 'mine'), 'mine');
    expect((await failureOf(bag.publish())).exit).toBe(5);
    expect(readdirSync(directory)).toEqual(['mine']);
  });

  it('is made with the folders above it', async () => {
    expect((await verifyBag(await smallBag({ directory: join(newFolder(), 'a/b/acme') }))).ok).toBe(true);
  });
});

describe('an unfinished folder', () => {
  it('of a process that died is replaced', async () => {
    const directory = join(newFolder(), 'acme');
    const child = spawn(process.execPath, ['-e', '']);
    await once(child, 'exit');
    mkdirSync(`${directory}.partial/data`, { recursive: true });
    writeFileSync(`${directory}.partial/data/half`, 'half');
    writeFileSync(
      `${directory}.partial/bag-info.txt`,
      `Bag-Software-Agent: tenantctl 0.1.0\nTenantctl-Unfinished-Writer: ${hostname()} ${child.pid} x\n`,
    );
    expect((await verifyBag(await smallBag({ directory }))).ok).toBe(true);
  });

  it('of a process that is at work is left to it', async () => {
    const directory = join(newFolder(), 'acme');
    mkdirSync(`${directory}.partial`);
    const info = `Bag-Software-Agent: tenantctl 0.1.0\nTenantctl-Unfinished-Writer: ${hostname()} ${process.ppid} x\n`;
    writeFileSync(`${directory}.partial/bag-info.txt`, info);
    expect((await failureOf(BagWriter.open(directory))).code).toBe('EXPORT_UNDER_WAY');
    expect(readFileSync(`${directory}.partial/bag-info.txt`, 'utf8')).toBe(info);
  });

  it('that is not ours is left alone', async () => {
    const directory = join(newFolder(), 'acme');
    mkdirSync(`${directory}.partial`);
    writeFileSync(`${directory}.partial/photo`, 'mine');
    expect((await failureOf(BagWriter.open(directory))).code).toBe('EXPORT_PARTIAL_EXISTS');
    expect(readFileSync(`${directory}.partial/photo`, 'utf8')).toBe('mine');
  });

  it('that another process has taken over is neither finished nor removed', async () => {
    const directory = join(newFolder(), 'acme');
    const slow = await BagWriter.open(directory);
    await slow.write('data/x', 'x');
    const info = `Bag-Software-Agent: tenantctl 0.1.0\nTenantctl-Unfinished-Writer: elsewhere 1 y\n`;
    writeFileSync(`${directory}.partial/bag-info.txt`, info);
    expect((await failureOf(slow.publish())).code).toBe('EXPORT_UNDER_WAY');
    await slow.discard();
    expect(existsSync(`${directory}.partial/data/x`)).toBe(true);
  });
});

describe('what cannot be written', () => {
  it('is told with the path: a file stands where a folder should', async () => {
    const file = join(newFolder(), 'file');
    writeFileSync(file, '');
    const failure = await failureOf(BagWriter.open(join(file, 'acme')));
    expect([failure.code, failure.exit, failure.facts['errno']]).toEqual(['EXPORT_UNWRITABLE', 5, 'ENOTDIR']);
    expect(failure.message).toContain(join(file, 'acme'));
  });

  it.skipIf(process.getuid?.() === 0)('is told: a folder that is not ours', async () => {
    const folder = newFolder();
    chmodSync(folder, 0o500);
    expect((await failureOf(BagWriter.open(join(folder, 'acme')))).facts['errno']).toBe('EACCES');
  });

  it('is not confused with a stream that fails', async () => {
    const bag = await BagWriter.open(join(newFolder(), 'acme'));
    const broken = async function* (): AsyncGenerator<Buffer> {
      yield* chunks('some');
      throw new Error('the server is gone');
    };
    await expect(bag.stream(TABLE, broken(), false)).rejects.toThrow('the server is gone');
    await bag.discard();
  });
});

describe('names of files', () => {
  it('stay in the folder, whatever tables are called, and no two are alike', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ minLength: 1 }), { minLength: 2, maxLength: 20 }), (names) => {
        const files = names.map((name, n) => tableFile(n + 1, names.length, name, 'csv'));
        expect(new Set(files.map((file) => file.toLowerCase())).size).toBe(files.length);
        for (const file of files) expect(leavesFolder(file)).toBe(false);
      }),
    );
  });

  it('are written into a manifest and read again as they are', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'binary' }), (name) => {
        expect(decodePath(encodePath(name))).toBe(name);
      }),
    );
    const file = 'data/100% odd\nname';
    const text = manifestText([{ file, bytes: 1, sha256: sha256('x') }]);
    expect(parseManifest(text)).toEqual({ sums: [[file, sha256('x')]], bad: [] });
  });

  it('are in the order of their tables when there are thousands', () => {
    expect(tableFile(7, 12_000, 'a', 'csv')).toBe('data/tables/00007_a.csv');
  });
});
