import { runner } from 'node-pg-migrate';
import { describe, expect, test } from 'vitest';
import { nodePgMigrateLedger } from '../../../../src/engine/formats/ledgers/node-pg-migrate.js';
import { readMigrationFiles } from '../../../../src/engine/formats/registry.js';
import { directoryOf, writeFiles } from '../../ledger/directory.js';
import { type ToolUnit, filesOf, saidOf, useToolUnits } from './tool-units.js';

const FIRST = { '1700000000000_first.sql': 'create table a (id int);\n' };
const SECOND = { '20231201000000000_second.sql': '-- Up Migration\ncreate table b (id int);\n' };
const THIRD = { '1702000000000_third.sql': 'create table c (id int);\n' };

const newUnit = useToolUnits();
const judge = async (names: string[]) =>
  saidOf(
    nodePgMigrateLedger.judge(
      names.map((name) => ({ name })),
      await filesOf('node-pg-migrate', { ...FIRST, ...SECOND, ...THIRD }),
    ),
  );

describe('the ledger of node-pg-migrate', () => {
  test('names a file without its extension', async () => {
    expect(await judge(['1700000000000_first', '20231201000000000_second'])).toEqual({
      applied: [1, 2],
      problems: [],
    });
  });

  test('that lacks a file before one that it has shows a gap', async () => {
    expect(await judge(['1700000000000_first', '1702000000000_third'])).toEqual({
      applied: [1, 3],
      problems: ['gap: 20231201000000000_second.sql: not recorded as applied, although a later file is'],
    });
  });

  test('may name what is no file; newer is told by the time, however it is written', async () => {
    expect(await judge(['1700000000000_first', '1700000000001_gone', '20240101000000000_new'])).toEqual({
      applied: [1],
      problems: [
        'ahead: It records 20240101000000000_new, newer than every file of the directory',
        'unknown: It records 1700000000001_gone, which no file of the directory is',
      ],
    });
  });
});

describe('node-pg-migrate itself', () => {
  const migrate = ({ url, schema }: ToolUnit, dir: string) =>
    runner({
      databaseUrl: url,
      dir,
      schema,
      direction: 'up',
      migrationsTable: 'pgmigrations',
      log: () => undefined,
    });

  test('leaves a ledger that is read as applied, and takes ours for its own', async () => {
    const unit = await newUnit();
    const directory = directoryOf({ ...FIRST, ...SECOND });
    await migrate(unit, directory);
    const files = await readMigrationFiles({ directory, format: 'node-pg-migrate' });
    expect(saidOf(nodePgMigrateLedger.judge(await unit.rows(nodePgMigrateLedger), files))).toEqual({
      applied: [1, 2],
      problems: [],
    });

    writeFiles(directory, THIRD);
    const third = (await readMigrationFiles({ directory, format: 'node-pg-migrate' })).at(-1)!;
    await unit.apply(nodePgMigrateLedger, third);
    expect(await migrate(unit, directory)).toEqual([]);
    expect(await unit.tables()).toEqual(['a', 'b', 'pgmigrations']);

    await unit.takeBack(nodePgMigrateLedger, third, null);
    expect(await migrate(unit, directory)).toMatchObject([{ name: '1702000000000_third' }]);
  });

  test('holds the lock that we try while it runs', async () => {
    const unit = await newUnit();
    const key = nodePgMigrateLedger.lockKey({ tool: 'node-pg-migrate', schema: '', table: '' }, '');
    const directory = directoryOf({
      '1700000000000_asks.sql': `create table held as select exists (select from pg_locks
        where locktype = 'advisory' and (classid::bigint << 32) | objid::bigint = ${key}) as yes;`,
    });
    await migrate(unit, directory);
    expect((await unit.client.query('select yes from held')).rows).toEqual([{ yes: true }]);
    expect(await unit.lockIsFree(nodePgMigrateLedger)).toBe(true);
  });
});
