import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { MigrationFormatName } from '../../../src/core/settings.js';
import { readMigrationFiles } from '../../../src/engine/formats/registry.js';
import { digestOf } from '../../../src/engine/ledger/files.js';
import { loadFrom } from '../../support/migrations.js';
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
  'golang-migrate': {
    '000002_second.up.sql': 'create table b ();\n',
    '000001_first.up.sql': 'create table a (id int);\n',
    '000001_first.down.sql': 'drop table a;\n',
  },
  flyway: {
    'V1_10__second.sql': 'create table b ();\n',
    'V1.2__first.sql': 'create table a (id int);\n',
    'U1_2__first.sql': 'drop table a;\n',
  },
  sqitch: {
    'sqitch.plan':
      '%syntax-version=1.0.0\n%project=shop\n\nzeta 2023-01-02T03:04:05Z Ada L <ada@example.org> # First\nalpha [zeta] 2024-01-02T03:04:05Z Ada L <ada@example.org>\n',
    'deploy/zeta.sql': '-- Deploy shop:zeta to pg\n\nBEGIN;\n\ncreate table a (id int);\n\nCOMMIT;\n',
    'revert/zeta.sql': 'BEGIN;\ndrop table a;\nCOMMIT;\n',
    'deploy/alpha.sql': 'create table b ();\n',
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

describe('golang-migrate', () => {
  test('goes by the number, and knows the way back by it', async () => {
    const files = await read({
      '9_b.up.sql': 'select 9;',
      '0010_c.up.sql': 'select 10;',
      '10_other_name.down.sql': 'select -10;',
      '8_a.up.sql': 'select 8;',
    });
    expect(files.map(({ id, name, particulars, down }) => [id, name, particulars, down?.sql])).toEqual([
      [1, '8_a', { version: '8' }, undefined],
      [2, '9_b', { version: '9' }, undefined],
      [3, '0010_c', { version: '10' }, 'select -10;'],
    ]);
    expect(files[0]).toMatchObject({ checksum: sha256('select 8;'), sending: 'message' });
  });

  test.each([
    [{ '2_seed.sql': '' }, '2_seed.sql: golang-migrate would never run it'],
    [{ '01_again.up.sql': '' }, 'number 1 is used by 01_again.up.sql and 1_a.up.sql'],
    [{ '2_b.down.sql': '' }, '2_b.down.sql: there is no .up.sql of that number'],
  ])('refuses %j', async (more, problem) => {
    const [found] = (await problemsOf({ '1_a.up.sql': '', ...more }, 'golang-migrate')) as string[];
    expect(found).toContain(problem);
  });
});

describe('flyway', () => {
  test('goes by the version, part by part, and knows the way back by it', async () => {
    const files = await read({
      'V2__b_c.sql': 'select 2;',
      'V1.10__b.sql': 'select 1.1;',
      'V1_9_0__a.sql': 'select 1.9;',
      'U1.9__a.sql': 'select -1;',
    });
    expect(files.map(({ name, particulars, down }) => [name, particulars, down?.sql])).toEqual([
      ['V1_9_0__a', { prefix: 'V', version: '1.9.0', description: 'a' }, 'select -1;'],
      ['V1.10__b', { prefix: 'V', version: '1.10', description: 'b' }, undefined],
      ['V2__b_c', { prefix: 'V', version: '2', description: 'b c' }, undefined],
    ]);
  });

  test('begins with the newest baseline where nothing else leads to it', async () => {
    const names = async (files: Files) => (await read(files, 'flyway')).map(({ name }) => name);
    const baselines = { 'B3__old.sql': '', 'B5__all.sql': '' };
    expect(await names({ ...baselines, 'V6__next.sql': '' })).toEqual(['B5__all', 'V6__next']);
    expect(await names({ ...baselines, 'V4__a.sql': '', 'V5__b.sql': '' })).toEqual(['V4__a', 'V5__b']);
  });

  test('runs a script outside a transaction where its .conf says so', async () => {
    const files = await read({ 'V1__a.sql': 'select 1;', 'V1__a.sql.conf': 'executeInTransaction=false\n' });
    expect(files.map(({ sending }) => sending)).toEqual(['statements']);
  });

  test('refuses what Flyway fills in, unless the .conf says that it does not', async () => {
    const files = { 'V1__a.sql': 'create table ${schema}.a ();' };
    expect(await problemsOf(files, 'flyway')).toEqual([
      'V1__a.sql: ${schema} is filled in by Flyway before it runs',
    ]);
    expect(await read({ ...files, 'V1__a.sql.conf': 'placeholderReplacement=false' })).toHaveLength(1);
  });

  test.each([
    [{ 'R__views.sql': '' }, 'R__views.sql: a repeatable migration runs again whenever it changes'],
    [{ 'V2_b.sql': '' }, "V2_b.sql: its name is none of Flyway's"],
    [{ 'V__b.sql': '' }, "V__b.sql: its name is none of Flyway's"],
    [{ 'V1.0__b.sql': '' }, 'version 1 is used by V1.0__b.sql and V1__a.sql'],
    [{ 'U2__b.sql': '' }, 'U2__b.sql: there is no V file of that version'],
    [{ 'more/V2__b.sql': '' }, 'more/: Flyway reads folders as well, which is not done here'],
  ])('refuses %j', async (more, problem) => {
    const [found] = (await problemsOf({ 'V1__a.sql': '', ...more }, 'flyway')) as string[];
    expect(found).toContain(problem);
  });
});

describe('sqitch', () => {
  const line = (name: string, links = '') =>
    `${name} ${links === '' ? '' : `[${links}] `}2024-01-02T03:04:05Z Ada L <ada@example.org> # A note\n`;
  const plan = (...lines: string[]) => ({ 'sqitch.plan': `%project=shop\n\n${lines.join('')}` });

  test('follows its plan, and leaves out BEGIN and COMMIT', async () => {
    const files = await read(DIRECTORIES.sqitch);
    expect(
      files.map(({ id, name, fileName, sending, down }) => [id, name, fileName, sending, down?.fileName]),
    ).toEqual([
      [1, 'zeta', 'deploy/zeta.sql', 'message', 'revert/zeta.sql'],
      [2, 'alpha', 'deploy/alpha.sql', 'message', undefined],
    ]);
    const migrations = await loadFrom(directoryOf(DIRECTORIES.sqitch), { format: 'sqitch' });
    expect(migrations.map(({ statements }) => statements.map(({ kind }) => kind))).toEqual([
      ['CreateStmt'],
      ['CreateStmt'],
    ]);
  });

  test('finds the scripts of a reworked change by the tag after it, and leaves its name as it was', async () => {
    const files = await read({
      ...plan(line('users'), line('@v1'), line('users', 'users@v1')),
      'deploy/users@v1.sql': 'select 1;',
      'revert/users@v1.sql': 'select -1;',
      'deploy/users.sql': 'select 2;',
    });
    expect(files.map(({ name, sql, down }) => [name, sql, down?.sql])).toEqual([
      ['users', 'select 1;', 'select -1;'],
      ['users+1', 'select 2;', undefined],
    ]);
  });

  test('names every line that is no change, every script that is not there and every command of psql', async () => {
    expect(
      await problemsOf(
        {
          ...plan(line('a'), 'b without a time\n', line('c')),
          'deploy/a.sql': 'select 1;\n  \\i other.sql\n',
        },
        'sqitch',
      ),
    ).toEqual([
      'sqitch.plan: line 4 is no change and no tag: b without a time',
      'deploy/a.sql: \\i is a command of psql, not SQL',
      'c: there is no deploy/c.sql',
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
