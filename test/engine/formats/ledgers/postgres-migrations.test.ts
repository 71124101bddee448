import { migrate } from 'postgres-migrations';
import { describe, expect, test } from 'vitest';
import { postgresMigrationsLedger } from '../../../../src/engine/formats/ledgers/postgres-migrations.js';
import { readMigrationFiles } from '../../../../src/engine/formats/registry.js';
import { directoryOf, writeFiles } from '../../ledger/directory.js';
import { type ToolUnit, filesOf, saidOf, useToolUnits } from './tool-units.js';

const FIRST = { '0001_first.sql': 'create table a (id int);\n' };
const SECOND = { '0002-second.sql': 'create table b (id int);\n' };
const THIRD = { '0003.sql': 'create table c (id int);\n' };
const OWN = { id: 0, name: 'create-migrations-table', hash: 'e18db593bcde2aca2a408c4d1100f6abba2195df' };

const newUnit = useToolUnits();
const files = () => filesOf('postgres-migrations', { ...FIRST, ...SECOND, ...THIRD });
const judge = async (...rows: { id: number; name: string; hash: string }[]) =>
  saidOf(postgresMigrationsLedger.judge([OWN, ...rows], await files()));
const rowOf = async (id: number) => {
  const file = (await files())[id - 1]!;
  return { id, name: 'any', hash: file.checksum };
};

describe('the ledger of postgres-migrations', () => {
  test('has a row of its own, number 0, which is no migration', async () => {
    expect(await judge()).toEqual({ applied: [], problems: [] });
    expect(await judge(await rowOf(1), await rowOf(2))).toEqual({ applied: [1, 2], problems: [] });
  });

  test('that lacks a file before one that it has shows a gap', async () => {
    expect(await judge(await rowOf(2))).toEqual({
      applied: [2],
      problems: ['gap: 0001_first.sql: not recorded as applied, although a later file is'],
    });
  });

  test('may be ahead of the files', async () => {
    expect(await judge(await rowOf(1), { id: 4, name: 'later', hash: '' })).toEqual({
      applied: [1],
      problems: ['ahead: It records 4 (later), newer than every file of the directory'],
    });
  });

  test('shows an edited or renamed file by its hash', async () => {
    const renamed = await filesOf('postgres-migrations', { '0001_old_name.sql': FIRST['0001_first.sql'] });
    expect(await judge({ id: 1, name: 'old_name', hash: renamed[0]!.checksum })).toEqual({
      applied: [1],
      problems: ['edited: 0001_first.sql: the text is not what was applied, by its checksum'],
    });
  });
});

describe('postgres-migrations itself', () => {
  const run = ({ client }: ToolUnit, directory: string) => migrate({ client }, directory);

  test.each([
    ['LF', '\n'],
    ['CRLF', '\r\n'],
  ])('leaves a ledger that is read as applied from a checkout with %s', async (_, lineEnd) => {
    const unit = await newUnit();
    const spelled = Object.entries({ ...FIRST, ...SECOND }).map(([name, text]) => [
      name,
      text.replaceAll('\n', lineEnd),
    ]);
    const directory = directoryOf(Object.fromEntries(spelled));
    await run(unit, directory);
    const read = await filesOf('postgres-migrations', { ...FIRST, ...SECOND });
    expect(saidOf(postgresMigrationsLedger.judge(await unit.rows(postgresMigrationsLedger), read))).toEqual({
      applied: [1, 2],
      problems: [],
    });
  });

  test('takes ours for its own', async () => {
    const unit = await newUnit();
    const directory = directoryOf(FIRST);
    await run(unit, directory);
    writeFiles(directory, { ...SECOND, ...THIRD });
    const [, second, third] = await readMigrationFiles({ directory, format: 'postgres-migrations' });
    await unit.apply(postgresMigrationsLedger, second!);
    await unit.apply(postgresMigrationsLedger, third!);
    expect(await run(unit, directory)).toEqual([]);
    expect(await unit.tables()).toEqual(['a', 'migrations']);
    const { rows } = await unit.client.query('select id, name from migrations where id > 0 order by id');

    await unit.takeBack(postgresMigrationsLedger, third!, second!);
    await unit.takeBack(postgresMigrationsLedger, second!, null);
    expect(await run(unit, directory)).toMatchObject([{ id: 2 }, { id: 3 }]);
    const own = await unit.client.query('select id, name from migrations where id > 0 order by id');
    expect(rows).toEqual(own.rows);
  });

  test('holds the lock that we try while it runs', async () => {
    const unit = await newUnit();
    const directory = directoryOf({
      '0001_asks.sql': `create table held as select (classid::bigint << 32) | objid::bigint as key
        from pg_locks where locktype = 'advisory';`,
    });
    await run(unit, directory);
    const key = postgresMigrationsLedger.lockKey({ tool: 'postgres-migrations', schema: '', table: '' }, '');
    expect((await unit.client.query('select key from held')).rows).toEqual([{ key: String(key) }]);
    expect(await unit.lockIsFree(postgresMigrationsLedger)).toBe(true);
  });
});
