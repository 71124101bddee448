import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { MigrationFormatName } from '../../../src/core/settings.js';
import { readMigrationFiles } from '../../../src/engine/formats/registry.js';
import { digestOf } from '../../../src/engine/ledger/files.js';
import { directoryOf, failureOf } from '../ledger/directory.js';

type Files = Record<string, string>;
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const read = (files: Files, format: MigrationFormatName | 'auto' = 'auto') =>
  readMigrationFiles({ directory: directoryOf(files), format });
const problemsOf = async (files: Files, format: MigrationFormatName) => {
  const error = await failureOf(read(files, format));
  expect(error).toMatchObject({ code: 'MIGRATIONS_INVALID', exit: 3 });
  return error.facts['problems'];
};
const withCrlf = (files: Files): Files =>
  Object.fromEntries(Object.entries(files).map(([name, text]) => [name, text.replaceAll('\n', '\r\n')]));

const UP_AND_DOWN = `-- migrate:up
create table a (id int);

-- migrate:down
drop table a;
`;

const DIRECTORIES: Record<MigrationFormatName, Files> = {
  'postgres-migrations': {
    '0001_first.sql': 'create table a (id int);\n',
    '0002_second.sql': 'create table b ();\n',
  },
  prisma: {
    'migration_lock.toml': 'provider = "postgresql"\n',
    '20240102030405_second/migration.sql': 'create table b ();\n',
    '20230102030405_first/migration.sql': '-- CreateTable\ncreate table a (id int);\n',
  },
  drizzle: {
    'meta/_journal.json': JSON.stringify({
      version: '7',
      dialect: 'postgresql',
      entries: [
        { idx: 0, when: 2, tag: '0000_wild_hulk', breakpoints: true },
        { idx: 1, when: 1, tag: '0001_calm_cat', breakpoints: true },
      ],
    }),
    'meta/0000_snapshot.json': '{}',
    '0000_wild_hulk.sql': 'create table a (id int);\n--> statement-breakpoint\ncreate index i on a (id);\n',
    '0001_calm_cat.sql': 'create table b ();\n',
  },
  'node-pg-migrate': {
    '1700000000000_first.sql':
      '-- Up Migration\ncreate table a (id int);\n\n-- Down Migration\ndrop table a;\n',
    '20240102030405678_second.sql': 'create table b ();\n',
  },
  dbmate: {
    '20230102030405_first.sql': UP_AND_DOWN,
    '20240102030405_second.sql': '-- migrate:up\nselect 1;\n',
  },
};

describe.each(Object.entries(DIRECTORIES))('%s', (name, files) => {
  const format = name as MigrationFormatName;

  test('is recognised', async () => {
    expect(await read(files, 'auto')).toHaveLength(2);
  });

  test('is the same from a checkout with CRLF', async () => {
    const [unix, windows] = [await read(files, format), await read(withCrlf(files), format)];
    expect(digestOf(windows)).toBe(digestOf(unix));
    expect(windows.map(({ sql, down }) => [sql, down?.sql])).toEqual(
      unix.map(({ sql, down }) => [sql, down?.sql]),
    );
  });

  test('has places that are those of the file: what is not run is blank', async () => {
    for (const { sql, source } of await read(files, format)) {
      expect(sql).toHaveLength(source.length);
      expect(sql.split('\n').map(({ length }) => length)).toEqual(
        source.split('\n').map(({ length }) => length),
      );
    }
  });

  test('asked for as another format is told by its name', async () => {
    const other = format === 'prisma' ? 'dbmate' : 'prisma';
    expect(await failureOf(read(files, other))).toMatchObject({
      code: 'MIGRATIONS_FORMAT',
      exit: 3,
      hint: `Set migrations.format: ${format}.`,
      facts: { found: format },
    });
  });
});

describe('prisma', () => {
  test('names a migration by its folder, in order of the names, and hashes the text', async () => {
    const files = await read(DIRECTORIES.prisma);
    expect(files.map(({ id, name, fileName }) => [id, name, fileName])).toEqual([
      [1, '20230102030405_first', '20230102030405_first/migration.sql'],
      [2, '20240102030405_second', '20240102030405_second/migration.sql'],
    ]);
    expect(files[0]).toMatchObject({
      checksum: sha256('-- CreateTable\ncreate table a (id int);\n'),
      down: null,
      sending: 'message',
    });
  });

  test('names every folder without a script, and what is in it instead', async () => {
    const odd = { ...DIRECTORIES.prisma, '20250101000000_data/migration.ts': '' };
    expect(await problemsOf(odd, 'prisma')).toEqual([
      '20250101000000_data: there is no migration.sql in it, but migration.ts',
    ]);
  });
});

describe('drizzle', () => {
  test('follows the journal, whatever the times in it say', async () => {
    const files = await read(DIRECTORIES.drizzle);
    expect(files.map(({ id, name, fileName }) => [id, name, fileName])).toEqual([
      [1, '0000_wild_hulk', '0000_wild_hulk.sql'],
      [2, '0001_calm_cat', '0001_calm_cat.sql'],
    ]);
    expect(files[0]).toMatchObject({
      checksum: sha256(DIRECTORIES.drizzle['0000_wild_hulk.sql'] as string),
      sending: 'transaction',
    });
  });

  test('names a file that the journal lacks, and an entry that has no file', async () => {
    const { '0001_calm_cat.sql': _gone, ...rest } = DIRECTORIES.drizzle;
    expect(await problemsOf(rest, 'drizzle')).toEqual(['0001_calm_cat: there is no 0001_calm_cat.sql']);
    expect(await problemsOf({ ...DIRECTORIES.drizzle, '0002_stray.sql': '' }, 'drizzle')).toEqual([
      '0002_stray.sql: it is not in meta/_journal.json, so Drizzle would never run it',
    ]);
  });

  test.each(['no json', '{"entries": [{"tag": 1}]}', '{}'])('refuses the journal %s', async (journal) => {
    expect(await problemsOf({ 'meta/_journal.json': journal }, 'drizzle')).toEqual([
      "meta/_journal.json: it is not a journal of Drizzle's",
    ]);
  });

  test('from 1.0 on is folders with a snapshot each, in order of their names', async () => {
    const files = await read({
      '20250202000000_b/migration.sql': 'select 2;',
      '20250202000000_b/snapshot.json': '{}',
      '20250101000000_a/migration.sql': 'select 1;',
      '20250101000000_a/snapshot.json': '{}',
    });
    expect(files.map(({ id, name, checksum }) => [id, name, checksum])).toEqual([
      [1, '20250101000000_a', sha256('select 1;')],
      [2, '20250202000000_b', sha256('select 2;')],
    ]);
  });
});

describe('node-pg-migrate', () => {
  const only = async (text: string) => (await read({ '1700000000000_a.sql': text }, 'node-pg-migrate'))[0];

  test('orders by the time in the name, in milliseconds or in digits of a date', async () => {
    const names = ['20231114221320000_b', '1700000000001_c', '1699999999999_a', '1700000000000_b'];
    const files = await read(Object.fromEntries(names.map((name) => [`${name}.sql`, 'select 1'])));
    expect(files.map(({ name }) => name)).toEqual([
      '1699999999999_a',
      '1700000000000_b',
      '20231114221320000_b',
      '1700000000001_c',
    ]);
  });

  test.each([
    ['-- Up Migration\nup\n-- Down Migration\ndown', '-- Up Migration\nup', '-- Down Migration\ndown'],
    [
      '-- down migration\ndown\n---- UP  migration x\nup',
      '---- UP  migration x\nup',
      '-- down migration\ndown',
    ],
    ['up only', 'up only', undefined],
    ['-- Up Migration\nup', '-- Up Migration\nup', undefined],
  ])('reads the sections of %j', async (text, up, down) => {
    const file = await only(text);
    expect([file?.sql.trim(), file?.down?.sql.trim()]).toEqual([up, down]);
    expect(file?.down?.sql.length ?? text.length).toBe(text.length);
  });

  test('keeps its checksum when the way back is mended', async () => {
    const [before, after] = [
      await only(`-- Up Migration\na\n-- Down Migration\nb`),
      await only(`-- Up Migration\na\n-- Down Migration\nc`),
    ];
    expect(before?.checksum).toBe(sha256('-- Up Migration\na'));
    expect(after?.checksum).toBe(before?.checksum);
  });

  test.each(['1700000000001_b.js', '1700000000001_b.ts', '1700000000001_b.mjs'])(
    'refuses %s',
    async (name) => {
      expect(await problemsOf({ '1700000000000_a.sql': '', [name]: '' }, 'node-pg-migrate')).toEqual([
        `${name}: a program cannot be read, ordered and checked as SQL can, so it is not run`,
      ]);
    },
  );
});

describe('dbmate', () => {
  const only = async (text: string) => (await read({ '20230102030405_a.sql': text }, 'dbmate'))[0];

  test('runs what stands below its markers, up and down', async () => {
    const file = await only(UP_AND_DOWN);
    expect(file?.sql.trim()).toBe('-- migrate:up\ncreate table a (id int);');
    expect(file?.down?.sql.trim()).toBe('-- migrate:down\ndrop table a;');
    expect(file?.checksum).toBe(sha256('-- migrate:up\ncreate table a (id int);'));
    expect(file?.down?.sql.split('\n').indexOf('drop table a;')).toBe(4);
  });

  test('takes several pairs together', async () => {
    const file = await only('-- migrate:up\na\n-- migrate:down\nb\n-- migrate:up\nc\n-- migrate:down\nd');
    expect(file?.sql.match(/^\w$/gm)).toEqual(['a', 'c']);
    expect(file?.down?.sql.match(/^\w$/gm)).toEqual(['b', 'd']);
  });

  test.each([
    ['-- migrate:up transaction:false\nx\n-- migrate:down\ny', 'statements', 'transaction'],
    ['-- migrate:up\nx\n-- migrate:down transaction:false\ny', 'transaction', 'statements'],
    ['-- migrate:up transaction:true\nx', 'transaction', undefined],
  ])('%j is sent as %s and %s', async (text, up, down) => {
    const file = await only(text);
    expect([file?.sending, file?.down?.sending]).toEqual([up, down]);
  });

  test.each([
    ['-- migrate:down\nx', 'there is no `-- migrate:up` in it'],
    ['-- note\nselect 1;\n-- migrate:up\nx', 'there is SQL before the first marker'],
    [
      '-- migrate:up\nx\n-- migrate:up transaction:false\ny',
      'its up blocks disagree about transaction:false',
    ],
  ])('refuses %j', async (text, problem) => {
    expect(await problemsOf({ '20230102030405_a.sql': text }, 'dbmate')).toEqual([
      `20230102030405_a.sql: ${problem}`,
    ]);
  });
});

describe('a directory whose format cannot be told', () => {
  test('is refused with the formats there are', async () => {
    const files = { '20230102030405_a.sql': 'select 1' };
    const error = await failureOf(read(files));
    expect(error).toMatchObject({ code: 'MIGRATIONS_FORMAT', exit: 3, facts: { found: [] } });
    expect(error.hint).toContain('node-pg-migrate');
  });

  test('is refused with those that it could be', async () => {
    const error = await failureOf(read({ ...DIRECTORIES.prisma, ...DIRECTORIES.dbmate }));
    expect(error.facts['found']).toEqual(['prisma', 'dbmate']);
  });

  test('is no fault while nothing is in it', async () => {
    expect(await read({ 'README.md': 'soon' })).toEqual([]);
  });
});
