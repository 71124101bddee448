import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { resolveBinary } from 'dbmate';
import { describe, expect, test } from 'vitest';
import { dbmateLedger } from '../../../../src/engine/formats/ledgers/dbmate.js';
import { readMigrationFiles } from '../../../../src/engine/formats/registry.js';
import { directoryOf, writeFiles } from '../../ledger/directory.js';
import { type ToolUnit, filesOf, saidOf, useToolUnits } from './tool-units.js';

const up = (statement: string) => `-- migrate:up\n${statement};\n\n-- migrate:down\nselect 1;\n`;
const FIRST = { '20230102030405_first.sql': up('create table a (id int)') };
const SECOND = { '20230202030405_second.sql': up('create table b (id int)') };
const THIRD = { '20230302030405_third.sql': up('create table c (id int)') };

const newUnit = useToolUnits();
const judge = async (versions: string[]) =>
  saidOf(
    dbmateLedger.judge(
      versions.map((version) => ({ version })),
      await filesOf('dbmate', { ...FIRST, ...SECOND, ...THIRD }),
    ),
  );

describe('the ledger of dbmate', () => {
  test('names a file by the digits in front', async () => {
    expect(await judge(['20230102030405', '20230202030405'])).toEqual({ applied: [1, 2], problems: [] });
    expect(await judge([])).toEqual({ applied: [], problems: [] });
  });

  test('that lacks a file before one that it has shows a gap', async () => {
    expect(await judge(['20230102030405', '20230302030405'])).toEqual({
      applied: [1, 3],
      problems: ['gap: 20230202030405_second.sql: not recorded as applied, although a later file is'],
    });
  });

  test('may name what is no file, newer than all of them or in between', async () => {
    expect(await judge(['20230102030405', '20230115000000', '20240101000000'])).toEqual({
      applied: [1],
      problems: [
        'ahead: It records 20240101000000, newer than every file of the directory',
        'unknown: It records 20230115000000, which no file of the directory is',
      ],
    });
  });
});

describe('dbmate itself', () => {
  const dbmate = async ({ url }: ToolUnit, directory: string, ...command: string[]): Promise<string> => {
    const own = new URL(url);
    own.search = '?sslmode=disable&search_path=tenant_a';
    const options = ['--url', own.href, '--migrations-dir', directory, '--no-dump-schema'];
    return (await promisify(execFile)(resolveBinary(), [...options, ...command])).stdout;
  };

  test('leaves a ledger that is read as applied, and takes ours for its own', async () => {
    const unit = await newUnit();
    const directory = directoryOf({ ...FIRST, ...SECOND });
    await dbmate(unit, directory, 'migrate');
    const files = await readMigrationFiles({ directory, format: 'dbmate' });
    expect(saidOf(dbmateLedger.judge(await unit.rows(dbmateLedger), files))).toEqual({
      applied: [1, 2],
      problems: [],
    });

    writeFiles(directory, THIRD);
    const third = (await readMigrationFiles({ directory, format: 'dbmate' })).at(-1)!;
    expect(await dbmate(unit, directory, 'status')).toContain('Pending: 1');
    await unit.apply(dbmateLedger, third);
    expect(await dbmate(unit, directory, 'status')).toContain('Pending: 0');
    await dbmate(unit, directory, 'migrate');
    expect(await unit.tables()).toEqual(['a', 'b', 'schema_migrations']);

    await unit.takeBack(dbmateLedger, third, null);
    expect(await dbmate(unit, directory, 'status')).toContain('Pending: 1');
  });

  test('takes no lock', () => {
    const place = { tool: 'dbmate', schema: 'public', table: 'schema_migrations' } as const;
    expect(dbmateLedger.lockKey(place, 'app')).toBeNull();
  });
});
