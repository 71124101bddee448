import { describe, expect, test } from 'vitest';
import { migrationsFor } from '../../../src/engine/ledger/migration.js';
import { raw } from '../../../src/pg/sql.js';
import { failureOf, migrationsOf } from './directory.js';
import { appliedIds, settingsOf, tablesOf, useUnits } from './units.js';

const units = useUnits();

const TWO = ['create table first (id int primary key);', 'create table second (id int);'];

describe('a failure in the second statement of the third file of a message', () => {
  test.each([
    ['that the server places', 'select nope from first', 'select nope', '42703', 8],
    ['that the server does not place', 'create table first ()', 'create table first', '42P07', 1],
    ['of a constraint', 'insert into first values (1), (1)', 'insert into first', '23505', 1],
  ])('%s is shown with file, line, caret and SQLSTATE', async (_kind, statement, shown, sqlstate, column) => {
    const unit = await units.newUnit();
    const third = `-- 🎉 Grüße\ncreate table third (note text default '🎉;');\n\n${statement};\nselect 3;\n`;
    const migrations = await migrationsOf(...TWO, third);
    const error = await failureOf(unit.migrate(migrations));
    expect(error).toMatchObject({ code: 'MIGRATION_FAILED', exit: 7 });
    expect(error.facts).toEqual({
      unit: unit.target.unit.id,
      migration: '0003_step',
      file: migrations[2]?.path,
      line: 4,
      sqlstate,
    });
    const [head, source, caret] = error.message.split('\n');
    expect(head).toContain(`0003_step.sql:4:${column}: `);
    expect(head).toContain(`(SQLSTATE ${sqlstate})`);
    expect(source).toContain(`4 | ${shown}`);
    expect(caret).toBe(`${' '.repeat('4 | '.length + column - 1)}^`);
  });

  test('leaves the migrations before it, and nothing of its own', async () => {
    const unit = await units.newUnit();
    const broken = await migrationsOf(
      ...TWO,
      'create table third (); select 1/0;',
      'create table fourth ();',
    );
    await failureOf(unit.migrate(broken));
    expect(await tablesOf(unit)).toEqual(['first', 'second']);
    expect(await appliedIds(unit)).toEqual([1, 2]);
  });

  test('is mended by a corrected file and the same call', async () => {
    const unit = await units.newUnit();
    const connection = await units.connect();
    await failureOf(unit.migrate(await migrationsOf(...TWO, 'select 1/0'), connection));
    const mended = await migrationsOf(...TWO, 'create table third ()');
    expect((await unit.migrate(mended, connection)).map(({ id }) => id)).toEqual([3]);
    expect(await appliedIds(unit)).toEqual([1, 2, 3]);
  });

  test('names the place after letters of several bytes on the same line', async () => {
    const unit = await units.newUnit();
    const third = `select 1; /* ümläut 🎉 */ select '消費税' as 税, nope;`;
    const error = await failureOf(unit.migrate(await migrationsOf(...TWO, third)));
    expect(error.facts).toMatchObject({ line: 1, sqlstate: '42703' });
    expect(error.message).toContain(`0003_step.sql:1:${Array.from(third).indexOf('n', 15) + 1}: `);
  });
});

test('a constraint that is checked at COMMIT names the migration', async () => {
  const unit = await units.newUnit();
  const key = 'id int primary key deferrable initially deferred';
  const migrations = await migrationsOf(`create table t (${key})`, 'insert into t values (1), (1)');
  const error = await failureOf(unit.migrate(migrations));
  expect(error.facts).toMatchObject({ migration: '0002_step', line: null, sqlstate: '23505' });
  expect(await appliedIds(unit)).toEqual([1]);
});

test('a failure in a new home leaves it empty and says where it was', async () => {
  const unit = await units.newUnit();
  const migrations = await migrationsOf(...TWO, "select '🎉';\ninsert into second values ('x')");
  const error = await failureOf(unit.fill(migrations));
  expect(error.facts).toMatchObject({ migration: '0003_step', line: 2, sqlstate: '22P02' });
  expect(await tablesOf(unit)).toEqual([]);
  expect(await unit.ledger()).toEqual([]);
});

test('a migration and its ledger row come in one transaction', async () => {
  const unit = await units.newUnit();
  await unit.migrate(await migrationsOf(...TWO));
  const rows = await unit.rows<{ together: boolean; tool: string }>(
    `select c.xmin = l.xmin as together, l.tool from tenantctl.ledger l
       join pg_class c on c.relnamespace = $1::regnamespace and c.relname = case l.id when 1 then 'first' else 'second' end
      where l.unit = $2`,
    [unit.schema, unit.target.unit.ledgerKey],
  );
  expect(rows).toEqual([
    { together: true, tool: 'suite' },
    { together: true, tool: 'suite' },
  ]);
});

test('a unit that has everything is left alone', async () => {
  const unit = await units.newUnit();
  const migrations = await migrationsOf(...TWO);
  await unit.migrate(migrations);
  const before = await unit.ledger();
  expect(await unit.migrate(migrations)).toEqual([]);
  expect(await unit.ledger()).toEqual(before);
});

test('a file without a statement is recorded like any other', async () => {
  const [unit, fresh] = [await units.newUnit(), await units.newUnit()];
  const migrations = await migrationsOf(TWO[0] as string, '-- taken back\n', '', TWO[1] as string);
  await unit.migrate(migrations);
  await fresh.fill(migrations);
  expect(await appliedIds(unit)).toEqual([1, 2, 3, 4]);
  expect(await tablesOf(unit)).toEqual(['first', 'second']);
  expect(await tablesOf(fresh)).toEqual(['first', 'second']);
});

test('a file for some tiers leaves the others out', async () => {
  const [pool, schema] = [await units.newUnit('pool'), await units.newUnit('schema')];
  const migrations = await migrationsOf(
    'create table everywhere ()',
    '-- tenantctl: tiers=pool,database\ncreate table pooled ()',
    'create table last ()',
  );
  for (const unit of [pool, schema]) await unit.migrate(migrationsFor(migrations, unit.target.unit.tier));
  expect(await appliedIds(pool)).toEqual([1, 2, 3]);
  expect(await appliedIds(schema)).toEqual([1, 3]);
  expect(await tablesOf(schema)).toEqual(['everywhere', 'last']);
});

test('a table that lacks its rules where they are required names the migration that made it', async () => {
  const unit = await units.newUnit('pool');
  const target = { ...unit.target, tenancy: { ...unit.target.tenancy, rls: 'require' as const } };
  Object.assign(unit.target, target);
  const migrations = await migrationsOf('create table a ()', 'create table b (tenant_id uuid)');
  const error = await failureOf(unit.migrate(migrations));
  expect(error.facts).toMatchObject({ migration: '0002_step', sqlstate: 'TC030' });
  expect(await tablesOf(unit)).toEqual(['a']);
});

describe('a COMMIT that answers ROLLBACK', () => {
  test('is a failure', async () => {
    const connection = await units.connect();
    const work = connection.transaction(async () => {
      await connection.execute(raw('create table pg_temp.lost ()'));
      await connection.execute(raw('select 1/0')).catch(() => undefined);
    });
    await expect(work).rejects.toThrow(/not committed: the server answered ROLLBACK/);
    expect(await connection.row(raw("select to_regclass('pg_temp.lost') as lost"))).toEqual({ lost: null });
  });
});

describe('settings of one unit', () => {
  const SEEN = `create table seen as select current_setting('search_path') as path,
    current_setting('tenantctl.scope', true) as scope, current_setting('lock_timeout') as locks`;

  test('are not met by the next one on the same connection', async () => {
    const connection = await units.connect();
    const before = await settingsOf(connection);
    const pool = await units.newUnit('pool', { lockTimeoutMs: 3_000 });
    const schema = await units.newUnit('schema', { lockTimeoutMs: 4_000 });
    const migrations = await migrationsOf(SEEN);
    for (const unit of [pool, schema]) await unit.migrate(migrations, connection);
    expect(await pool.rows(`select * from ${pool.schema}.seen`)).toEqual([
      { path: `"${pool.schema}", "extensions"`, scope: 'fleet', locks: '3s' },
    ]);
    expect(await schema.rows(`select * from ${schema.schema}.seen`)).toEqual([
      { path: `"${schema.schema}", "extensions"`, scope: 'fleet', locks: '4s' },
    ]);
    expect(await settingsOf(connection)).toEqual(before);
  });

  test.each([
    ['a failed migration', 'select 1/0'],
    ['one outside a transaction', '-- tenantctl: no-transaction\nselect 1'],
    ['one that failed outside a transaction', '-- tenantctl: no-transaction\nselect 1/0'],
    ['a batched one', '-- tenantctl: batched\ndelete from pg_class where false'],
  ])('are gone after %s', async (_kind, text) => {
    const connection = await units.connect();
    const before = await settingsOf(connection);
    const unit = await units.newUnit('pool', { lockTimeoutMs: 3_000 });
    await unit.migrate(await migrationsOf(text), connection).catch(() => undefined);
    expect(await settingsOf(connection)).toEqual(before);
    const next = await units.newUnit();
    await next.migrate(await migrationsOf(SEEN), connection);
    expect(await next.rows(`select path, scope from ${next.schema}.seen`)).toEqual([
      { path: `"${next.schema}", "extensions"`, scope: 'fleet' },
    ]);
  });
});

describe('a session', () => {
  test.each([
    ["set work_mem = '7MB'", Infinity],
    ["set local work_mem = '7MB'", 0],
    ['select 1', 0],
  ])('is not lent again when a migration changed it for good: %s', async (statement, touched) => {
    const unit = await units.newUnit();
    const connection = await units.connect();
    await unit.migrate(await migrationsOf(statement), connection);
    expect(connection.touched).toBe(touched);
  });
});
