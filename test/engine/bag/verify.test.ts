import {
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parsePublicKey } from '../../../src/core/signature.js';
import { readManifest } from '../../../src/engine/bag/read.js';
import { verifyBag } from '../../../src/engine/bag/verify.js';
import { failureOf } from '../ledger/directory.js';
import { newFolder } from '../../support/folder.js';
import { TABLE, edit, forgeSums, newKey, sha256, smallBag } from './bags.js';

/** What differs, as `problem file`. */
async function found(directory: string): Promise<string[]> {
  const { ok, differences } = await verifyBag(directory);
  expect(ok).toBe(differences.length === 0);
  return differences.map(({ problem, file }) => `${problem} ${file}`);
}

function flip(directory: string, file: string): void {
  const data = readFileSync(join(directory, file));
  const at = Math.floor(data.length / 2);
  data[at] = (data[at] as number) ^ 1;
  writeFileSync(join(directory, file), data);
}

describe('an export that nobody has touched', () => {
  it.each([
    ['csv', false],
    ['csv', true],
    ['ndjson', false],
    ['ndjson', true],
  ] as const)('is whole: %s, gzip %s', async (format, gzip) => {
    const report = await verifyBag(await smallBag({ format, gzip }));
    expect(report).toMatchObject({
      ok: true,
      tenant: 'acme',
      files: 4,
      rows: 3,
      signed: null,
      differences: [],
    });
  });

  it('tells by which key it is signed, and whether somebody has vouched for that key', async () => {
    const key = newKey();
    const directory = await smallBag({ key });
    expect((await verifyBag(directory)).signed).toEqual({ keyId: key.id, by: 'the key in the export' });
    const publicKey = parsePublicKey(key.publicKey);
    expect((await verifyBag(directory, { publicKey })).signed).toEqual({
      keyId: key.id,
      by: 'the given key',
    });
  });
});

describe('an export that was changed', () => {
  it.each([
    ['a flipped bit in a table', (dir: string) => flip(dir, TABLE), [`changed ${TABLE}`]],
    [
      'a missing table',
      (dir: string) => rmSync(join(dir, TABLE)),
      [`missing ${TABLE}`, 'contradicts bag-info.txt'],
    ],
    [
      'a file that was added to the payload',
      (dir: string) => writeFileSync(join(dir, 'data/tables/002_more.csv'), 'x\n'),
      ['extra data/tables/002_more.csv', 'contradicts bag-info.txt'],
    ],
    [
      'a file that was added beside it',
      (dir: string) => writeFileSync(join(dir, 'README'), 'x'),
      ['extra README'],
    ],
    [
      'a table that was cut off',
      (dir: string) => truncateSync(join(dir, TABLE), 20),
      [`changed ${TABLE}`, 'contradicts bag-info.txt', `truncated ${TABLE}`],
    ],
    [
      'a row that was added with all sums brought up to date but the count',
      (dir: string) => {
        edit(dir, TABLE, (text) => `${text}4,more\n`);
        forgeSums(dir);
      },
      [`changed ${TABLE}`],
    ],
    [
      'a flipped bit in the schema',
      (dir: string) => flip(dir, 'data/schema/pre-data.sql'),
      ['changed data/schema/pre-data.sql'],
    ],
    [
      'other sequences',
      (dir: string) => {
        edit(dir, 'data/sequences.json', (text) => text.replace('"3"', '"1"'));
        forgeSums(dir);
      },
      ['contradicts data/sequences.json'],
    ],
    [
      'another declaration',
      (dir: string) => edit(dir, 'bagit.txt', (text) => text.replace('1.0', '0.97')),
      ['changed bagit.txt', 'changed bagit.txt'],
    ],
    [
      'no declaration',
      (dir: string) => rmSync(join(dir, 'bagit.txt')),
      ['missing bagit.txt', 'missing bagit.txt'],
    ],
    [
      'a wrong size of the payload',
      (dir: string) => {
        edit(dir, 'bag-info.txt', (text) => text.replace(/Oxum: \d+/, 'Oxum: 1'));
        edit(dir, 'tagmanifest-sha256.txt', (text) =>
          text.replace(/^.{64}(?= {2}bag-info)/m, sha256(readFileSync(join(dir, 'bag-info.txt')))),
        );
      },
      ['contradicts bag-info.txt'],
    ],
    [
      'the name of another tenant',
      (dir: string) => {
        edit(dir, 'bag-info.txt', (text) => text.replace('acme', 'other'));
        forgeSums(dir);
      },
      ['contradicts bag-info.txt'],
    ],
    [
      'a changed manifest',
      (dir: string) => edit(dir, 'manifest.json', (text) => text.replace('"acme"', '"other"')),
      ['changed manifest.json', 'contradicts bag-info.txt'],
    ],
    [
      'no manifest',
      (dir: string) => rmSync(join(dir, 'manifest.json')),
      ['missing manifest.json', 'missing manifest.json'],
    ],
    [
      'a manifest that is no JSON',
      (dir: string) => writeFileSync(join(dir, 'manifest.json'), '{'),
      ['changed manifest.json', 'invalid manifest.json'],
    ],
    [
      'no list of the payload',
      (dir: string) => rmSync(join(dir, 'manifest-sha256.txt')),
      ['missing manifest-sha256.txt', 'missing manifest-sha256.txt', `contradicts ${TABLE}`],
    ],
    [
      'no list of the tags',
      (dir: string) => rmSync(join(dir, 'tagmanifest-sha256.txt')),
      ['missing tagmanifest-sha256.txt'],
    ],
    [
      'a line that is none',
      (dir: string) => edit(dir, 'tagmanifest-sha256.txt', (text) => `${text}what is this\n`),
      ['invalid tagmanifest-sha256.txt'],
    ],
  ] as const)('shows %s', async (_what, change, expected) => {
    const directory = await smallBag();
    change(directory);
    expect(await found(directory)).toEqual(expected);
  });

  it('shows a packed file that was cut off', async () => {
    const directory = await smallBag({ gzip: true });
    truncateSync(join(directory, `${TABLE}.gz`), 30);
    expect(await found(directory)).toContain(`truncated ${TABLE}.gz`);
  });

  it('names the file, what was expected, and what is there', async () => {
    const directory = await smallBag();
    const before = sha256(readFileSync(join(directory, TABLE)));
    flip(directory, TABLE);
    const [difference] = (await verifyBag(directory)).differences;
    expect(difference?.message).toBe(
      `its sha256 is ${sha256(readFileSync(join(directory, TABLE)))}; manifest-sha256.txt says ${before}`,
    );
  });
});

describe('a path that leads out of the folder is told, and never followed', () => {
  it.each(['../outside', '/etc/hostname', 'data/../../outside', 'data//x', 'data\\x', 'manifest.json'])(
    'in the list of the payload: %s',
    async (file) => {
      const directory = await smallBag();
      writeFileSync(join(directory, '../outside'), 'x');
      edit(directory, 'manifest-sha256.txt', (text) => `${text}${sha256('x')}  ${file}\n`);
      expect(await found(directory)).toContain('unsafe manifest-sha256.txt');
    },
  );

  it('in manifest.json', async () => {
    const directory = await smallBag();
    edit(directory, 'manifest.json', (text) => text.replace(TABLE, '../outside.csv'));
    expect(await found(directory)).toContain('invalid manifest.json');
    expect((await failureOf(readManifest(directory))).code).toBe('EXPORT_UNREADABLE');
  });

  it('as a link, to a file with the right bytes or to a folder', async () => {
    const directory = await smallBag();
    const elsewhere = join(newFolder(), 'elsewhere.csv');
    renameSync(join(directory, TABLE), elsewhere);
    symlinkSync(elsewhere, join(directory, TABLE));
    expect(await found(directory)).toEqual([
      `unsafe ${TABLE}`,
      `missing ${TABLE}`,
      'contradicts bag-info.txt',
    ]);
    rmSync(join(directory, 'data/schema'), { recursive: true });
    symlinkSync('/', join(directory, 'data/schema'));
    expect(await found(directory)).toContain('unsafe data/schema');
  });
});

describe('a signature', () => {
  it('covers every file of the payload, even when all sums were brought up to date', async () => {
    const directory = await smallBag({ key: newKey() });
    edit(directory, 'data/schema/post-data.sql', (text) => `${text}drop table customer;\n`);
    forgeSums(directory);
    expect(await found(directory)).toEqual(['signature manifest.json.sig']);
  });

  it('covers the manifest', async () => {
    const directory = await smallBag({ key: newKey() });
    edit(directory, 'manifest.json', (text) => text.replace('"0/1"', '"0/2"'));
    forgeSums(directory);
    expect(await found(directory)).toEqual(['signature manifest.json.sig']);
  });

  it('of another key is not that of the key that is given, although the export brings it along', async () => {
    const directory = await smallBag({ key: newKey() });
    const trusted = newKey();
    const report = await verifyBag(directory, { publicKey: parsePublicKey(trusted.publicKey) });
    expect(report).toMatchObject({ ok: false, signed: null });
    expect(report.differences).toMatchObject([{ file: 'manifest.json.sig', problem: 'signature' }]);
  });

  it('is missed where one is asked for', async () => {
    const publicKey = parsePublicKey(newKey().publicKey);
    const { ok, differences } = await verifyBag(await smallBag(), { publicKey });
    expect([ok, differences.map(({ problem, file }) => `${problem} ${file}`)]).toEqual([
      false,
      ['missing manifest.json.sig'],
    ]);
  });

  it('that is cut out leaves the key that made it behind', async () => {
    const directory = await smallBag({ key: newKey() });
    rmSync(join(directory, 'manifest.json.sig'));
    forgeSums(directory);
    expect(await found(directory)).toEqual(['missing manifest.json.sig']);
  });

  it.each([
    ['is no JSON', () => 'sig', ['invalid manifest.json.sig']],
    [
      'has another value',
      (text: string) => text.replace(/"value":"..../, '"value":"AAAA'),
      ['signature manifest.json.sig'],
    ],
    [
      'names another key',
      (text: string) => text.replace(/"keyId":"..../, '"keyId":"0000'),
      ['signature manifest.json.sig'],
    ],
  ] as const)('that %s proves nothing', async (_what, change, expected) => {
    const directory = await smallBag({ key: newKey() });
    edit(directory, 'manifest.json.sig', change);
    forgeSums(directory);
    expect(await found(directory)).toEqual(expected);
  });

  it('cannot be checked without the key', async () => {
    const directory = await smallBag({ key: newKey() });
    rmSync(join(directory, 'signing-key.pub'));
    forgeSums(directory);
    expect(await found(directory)).toEqual(['missing signing-key.pub']);
  });
});

describe('what is no export', () => {
  it('is said to be none: no folder, a file, a folder of something else', async () => {
    const folder = newFolder();
    const missing = await failureOf(verifyBag(join(folder, 'nothing')));
    expect(missing.code).toBe('EXPORT_NOT_FOUND');
    expect(missing.hint).toContain('that `tenantctl export` wrote');
    writeFileSync(join(folder, 'file'), '');
    expect((await failureOf(verifyBag(join(folder, 'file')))).code).toBe('EXPORT_NOT_FOUND');
    mkdirSync(join(folder, 'photos'));
    const failure = await failureOf(verifyBag(join(folder, 'photos')));
    expect([failure.code, failure.exit]).toEqual(['EXPORT_NOT_A_BAG', 2]);
  });

  it('is said to be unfinished when it is, whatever it was renamed to before its end', async () => {
    const directory = await smallBag();
    renameSync(directory, `${directory}.partial`);
    const failure = await failureOf(verifyBag(`${directory}.partial`));
    expect([failure.code, failure.exit]).toEqual(['EXPORT_UNFINISHED', 5]);
    expect((await failureOf(readManifest(`${directory}.partial`))).code).toBe('EXPORT_UNFINISHED');
  });

  it('of a later format is not read by guess', async () => {
    const directory = await smallBag();
    edit(directory, 'manifest.json', (text) => text.replace('"format": 1', '"format": 2'));
    const failure = await failureOf(readManifest(directory));
    expect([failure.code, failure.exit]).toEqual(['EXPORT_UNREADABLE', 6]);
    expect(failure.message).toContain('it has format 2, and this tenantctl reads 1');
  });
});
