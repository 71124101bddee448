import type pg from 'pg';
import { describe, expect, test } from 'vitest';
import type { Migration } from '../../../src/engine/ledger/migration.js';
import { LOCK_CLASS } from '../../../src/pg/locks.js';
import { failureOf, migrationsOf } from './directory.js';
import { type TestUnit, appliedIds, endSession, sessionWaiting, useUnits } from './units.js';

const units = useUnits();

const APART = '-- tenantctl: no-transaction\n';
const ITEMS = `create table item (id int primary key, n int, name text);
  insert into item select i, i, 'x' from generate_series(1, 9) i; create table log (n int)`;

const stepsOf = (unit: TestUnit) =>
  unit.rows<{ id: number; state: string; done: number; begun: boolean }>(
    `select id, state, steps_done as done, step_begun as begun from tenantctl.ledger
      where unit = $1 and rolled_back_at is null and id > 1 order by id`,
    [unit.target.unit.ledgerKey],
  );

const indexes = async (unit: TestUnit) =>
  unit.rows<{ name: string; valid: boolean }>(
    `select c.relname as name, i.indisvalid as valid from pg_index i join pg_class c on c.oid = i.indexrelid
      where c.relnamespace = $1::regnamespace and c.relname <> 'item_pkey' order by 1`,
    [unit.schema],
  );

/** A unit that has the first migration, with `before` done to it, and lacks the second. */
async function unitBefore(text: string, before = '', tables = ITEMS) {
  const unit = await units.newUnit();
  const migrations = await migrationsOf(tables, APART + text);
  await unit.migrate(migrations.slice(0, 1));
  if (before !== '') await unit.rows(before.replaceAll('$schema', unit.schema));
  return { unit, migrations };
}

/** Ends the session of a migration while it waits for `holder`, which then lets go. */
async function killedWhile(unit: TestUnit, migrations: readonly Migration[], held: string): Promise<void> {
  const holder = await units.outsider();
  await holder.query(`begin; ${held.replaceAll('$schema', unit.schema)}`);
  const connection = await units.connect();
  const ended = failureOf(unit.migrate(migrations, connection));
  const observer = await units.outsider();
  await sessionWaiting(observer, connection.pid);
  await endSession(observer, connection.pid);
  expect(await ended).toMatchObject({ code: 'CANNOT_CONNECT' });
  await holder.query('commit');
}

const WRITES = 'insert into $schema.item values (100, 100)';

describe('a file of several statements', () => {
  const THREE = `insert into log values (1);\nupdate item set n = 0 where id = 1;\ninsert into log values (3);`;

  test('goes on, after its session was killed, with the statement that was under way', async () => {
    const { unit, migrations } = await unitBefore(THREE);
    await killedWhile(unit, migrations, 'update $schema.item set n = 7 where id = 1');
    expect(await stepsOf(unit)).toEqual([{ id: 2, state: 'started', done: 1, begun: false }]);
    await unit.migrate(migrations);
    expect(await stepsOf(unit)).toEqual([{ id: 2, state: 'applied', done: 3, begun: false }]);
    expect(await unit.rows(`select n from ${unit.schema}.log order by n`)).toEqual([{ n: 1 }, { n: 3 }]);
  });

  test('goes on with the statement that failed once its cause is gone', async () => {
    const { unit, migrations } = await unitBefore(
      'insert into log values (1);\ninsert into absent values (2)',
    );
    const error = await failureOf(unit.migrate(migrations));
    expect(error.facts).toMatchObject({ sqlstate: '42P01', line: 3 });
    await unit.rows(`create table ${unit.schema}.absent (n int)`);
    await unit.migrate(migrations);
    expect(await unit.rows(`select n from ${unit.schema}.log`)).toEqual([{ n: 1 }]);
    expect(await appliedIds(unit)).toEqual([1, 2]);
  });

  test('may be corrected while none of them is done, and not when one is', async () => {
    const broken = `insert into log values ('x');\ninsert into log values (2)`;
    const { unit, migrations } = await unitBefore(broken);
    await failureOf(unit.migrate(migrations));
    const half = await migrationsOf(
      ITEMS,
      `${APART}insert into log values (1);\ninsert into log values ('y')`,
    );
    await failureOf(unit.migrate(half));
    expect(await stepsOf(unit)).toEqual([{ id: 2, state: 'started', done: 1, begun: false }]);
    expect(await failureOf(unit.migrate(migrations))).toMatchObject({ code: 'MIGRATION_EDITED', exit: 3 });
  });

  test('says which of them runs', async () => {
    const { unit, migrations } = await unitBefore('select 1; select 2');
    const said: string[] = [];
    unit.target.onStep = (step) => said.push(step);
    await unit.migrate(migrations);
    expect(said).toEqual(['0002_step: statement 1 of 2', '0002_step: statement 2 of 2']);
  });

  test('has little time for those that block others, and no lock timeout where CONCURRENTLY waits for all', async () => {
    const note = `insert into seen values (current_setting('lock_timeout'), current_setting('statement_timeout'))`;
    const { unit, migrations } = await unitBefore(
      `create index concurrently item_n on item (n); ${note}; alter table item add x float default noted(); ${note};`,
      `create table $schema.seen (lock text, statement text)`,
    );
    await unit.rows(`create function ${unit.schema}.noted() returns float language plpgsql volatile as
      'begin ${note.replaceAll("'", "''")}; return 1; end'`);
    await unit.migrate(migrations);
    const free = { lock: '10s', statement: '1min' };
    const seen = await unit.rows(`select distinct lock, statement from ${unit.schema}.seen order by 2`);
    expect(seen).toEqual([free, { lock: '10s', statement: '30s' }]);
  });
});

describe('an index that is there already under the name of a new one', () => {
  const SAME: [string, string][] = [
    ['on item (n)', 'on $schema.item using btree (n asc)'],
    [
      "on item (lower(name)) where name in ('a', 'b')",
      "on $schema.item (lower(name)) where name = any (array['a', 'b'])",
    ],
    ['on item (n desc nulls last) include (name)', 'on $schema.item (n desc nulls last) include (name)'],
  ];
  test.each(SAME)('is kept when it is the same: %s', async (wanted, there) => {
    const { unit, migrations } = await unitBefore(
      `create index concurrently item_n ${wanted};`,
      `create index item_n ${there}`,
    );
    await unit.migrate(migrations);
    expect(await indexes(unit)).toEqual([{ name: 'item_n', valid: true }]);
    expect(await appliedIds(unit)).toEqual([1, 2]);
  });

  test.each([
    ['index', 'on $schema.item (n, id)'],
    ['index', 'on $schema.item (id)'],
    ['unique index', 'on $schema.item (n)'],
    ['index', 'on $schema.item (n) where n > 0'],
    ['index', 'on $schema.item using hash (n)'],
    ['index', 'on $schema.item (n desc)'],
    ['index', 'on $schema.item (n) include (name)'],
    ['index', 'on $schema.item ((n + 1))'],
    ['index', 'on $schema.log (n)'],
  ])('is refused when it is another: %s %s', async (kind, there) => {
    const { unit, migrations } = await unitBefore(
      'create index concurrently if not exists item_n on item (n);',
      `create ${kind} item_n ${there}`,
    );
    const error = await failureOf(unit.migrate(migrations));
    expect(error).toMatchObject({ code: 'INDEX_DIFFERS', exit: 5 });
    expect(error.facts).toMatchObject({ index: 'item_n', line: 2, migration: '0002_step' });
    expect(error.facts['found']).not.toBe(error.facts['wanted']);
    expect(await appliedIds(unit)).toEqual([1]);
  });
});

describe('DROP INDEX CONCURRENTLY', () => {
  const DROP = 'drop index concurrently item_n';
  const INDEX = 'create index item_n on $schema.item (n)';

  test('is ended by the next run when its session was killed in the middle', async () => {
    const { unit, migrations } = await unitBefore(DROP, INDEX);
    await killedWhile(unit, migrations, WRITES);
    expect(await stepsOf(unit)).toEqual([{ id: 2, state: 'started', done: 0, begun: true }]);
    expect(await indexes(unit)).toEqual([{ name: 'item_n', valid: false }]);
    await unit.migrate(migrations);
    expect(await indexes(unit)).toEqual([]);
    expect(await appliedIds(unit)).toEqual([1, 2]);
  });

  test('is done when the index is gone after such a kill, and only then', async () => {
    const { unit, migrations } = await unitBefore(DROP, INDEX);
    await killedWhile(unit, migrations, WRITES);
    await unit.rows(`drop index ${unit.schema}.item_n`);
    await unit.migrate(migrations);
    expect(await appliedIds(unit)).toEqual([1, 2]);

    const never = await unitBefore(DROP);
    for (const attempt of [1, 2]) {
      const error = await failureOf(never.unit.migrate(never.migrations));
      expect({ attempt, sqlstate: error.facts['sqlstate'] }).toEqual({ attempt, sqlstate: '42704' });
    }
  });
});

test('DETACH PARTITION CONCURRENTLY is finalized by the next run when its session was killed in the middle', async () => {
  const tables = `create table parent (k int) partition by list (k); create table part partition of parent for values in (1)`;
  const { unit, migrations } = await unitBefore(
    'alter table parent detach partition part concurrently',
    '',
    tables,
  );
  await killedWhile(unit, migrations, 'select from $schema.parent');
  const pending = () =>
    unit.rows('select inhdetachpending as pending from pg_inherits where inhrelid = $1::regclass', [
      `${unit.schema}.part`,
    ]);
  expect(await pending()).toEqual([{ pending: true }]);
  await unit.migrate(migrations);
  expect(await pending()).toEqual([]);
  expect(await appliedIds(unit)).toEqual([1, 2]);
});

describe('REINDEX CONCURRENTLY', () => {
  test.each(['table concurrently item', 'index concurrently item_n'])(
    '%s: leftovers of a killed session are dropped before the next try',
    async (what) => {
      const { unit, migrations } = await unitBefore(
        `reindex ${what}`,
        'create index item_n on $schema.item (n)',
      );
      await killedWhile(unit, migrations, WRITES);
      expect((await indexes(unit)).filter(({ valid }) => !valid)).not.toEqual([]);
      await unit.migrate(migrations);
      expect(await indexes(unit)).toEqual([{ name: 'item_n', valid: true }]);
      expect(await appliedIds(unit)).toEqual([1, 2]);
    },
  );
});

describe('index builds in one database', () => {
  const INDEX = 'create index concurrently item_n on item (n)';
  const takePlace = (client: pg.Client, place: number) =>
    client.query('select pg_advisory_lock($1::int, hashtext($2))', [LOCK_CLASS.indexBuild, String(place)]);

  test('are so many at a time, whichever process has begun them', async () => {
    const { unit, migrations } = await unitBefore(INDEX);
    const others = await units.outsider();
    for (const place of [0, 1]) await takePlace(others, place);
    const waits = new Promise<string>((resolve) => (unit.target.onStep = resolve));
    const done = unit.migrate(migrations);
    expect(await waits).toBe('waits until fewer than 2 indexes are built in units');
    expect(await indexes(unit)).toEqual([]);
    await others.query('select pg_advisory_unlock_all()');
    await done;
    expect(await indexes(unit)).toEqual([{ name: 'item_n', valid: true }]);
  });

  test('give up when no place was free for as long as a statement may take', async () => {
    const { unit, migrations } = await unitBefore(INDEX);
    unit.target.rollout = { ...unit.target.rollout, statementTimeoutMs: 50 };
    const others = await units.outsider();
    for (const place of [0, 1]) await takePlace(others, place);
    const error = await failureOf(unit.migrate(migrations));
    expect(error).toMatchObject({ code: 'INDEX_BUILDS_BUSY', exit: 5, facts: { indexBuilds: 2 } });
    await others.query('select pg_advisory_unlock_all()');
    await unit.migrate(migrations);
    expect(await appliedIds(unit)).toEqual([1, 2]);
  });

  test('say which older snapshot they wait for', async () => {
    const { unit, migrations } = await unitBefore(INDEX);
    const other = await units.newUnit();
    await other.rows(`create table ${other.schema}.busy ()`);
    const dump = await units.outsider();
    const pid = (await dump.query('select pg_backend_pid() as pid')).rows[0].pid;
    await dump.query(
      `set application_name = 'pg_dump'; begin isolation level repeatable read; select from ${other.schema}.busy`,
    );
    unit.target.watch = async (work) => work(await units.connect());
    const waits = new Promise<string>((resolve) => (unit.target.onStep = resolve));
    const done = unit.migrate(migrations);
    expect(await waits).toMatch(new RegExp(`^waits for pid ${pid} .pg_dump. \\(idle in transaction for `));
    await dump.query('commit');
    await done;
    expect(await indexes(unit)).toEqual([{ name: 'item_n', valid: true }]);
  });

  test('that were waited for too long say for whom, and leave no index behind', async () => {
    const { unit, migrations } = await unitBefore(INDEX);
    unit.target.rollout = { ...unit.target.rollout, statementTimeoutMs: 2_000 };
    const writer = await units.outsider();
    const pid = (await writer.query('select pg_backend_pid() as pid')).rows[0].pid;
    await writer.query(`begin; ${WRITES.replace('$schema', unit.schema)}`);
    unit.target.watch = async (work) => work(await units.connect());
    const observer = await units.outsider();
    const seen = new Promise((resolve) => (unit.target.onStep = resolve));
    const failed = failureOf(unit.migrate(migrations));
    await seen;
    const error = await failed;
    expect(error.facts).toMatchObject({
      sqlstate: '57014',
      limit: 'rollout.statementTimeout',
      blockers: [{ pid }],
    });
    await writer.query('commit');
    await observer.query('select 1');
    await unit.migrate(migrations);
    expect(await indexes(unit)).toEqual([{ name: 'item_n', valid: true }]);
  });
});

describe('a batched file', () => {
  const BATCH = `-- tenantctl: batched
update item set name = clock_timestamp()::text where id in (select id from item where name = 'x' order by id limit 4)`;

  test('says how far it is, rests between batches, and counts them in the ledger', async () => {
    const unit = await units.newUnit('schema', { batchPauseMs: 30 });
    const migrations = await migrationsOf(ITEMS, BATCH);
    const said: string[] = [];
    unit.target.onStep = (step) => said.push(step);
    await unit.migrate(migrations);
    expect(said).toEqual([
      '0002_step: batch 1: 4 rows',
      '0002_step: batch 2: 8 rows',
      '0002_step: batch 3: 9 rows',
    ]);
    const times = await unit.rows<{ ms: number }>(
      `select (extract(epoch from max(name::timestamptz)) * 1000)::float8 as ms from ${unit.schema}.item group by xmin::text order by 1`,
    );
    const pauses = times.slice(1).map(({ ms }, index) => ms - (times[index]?.ms ?? 0));
    expect(pauses.filter((ms) => ms >= 28)).toHaveLength(2);
    expect(await stepsOf(unit)).toMatchObject([{ state: 'applied', done: 4 }]);
  });

  test('meets locks in more batches than a unit has tries', async () => {
    const unit = await units.newUnit('schema', { lockTimeoutMs: 50, retries: 40 });
    const migrations = await migrationsOf(ITEMS, BATCH);
    await unit.migrate(migrations.slice(0, 1));
    const application = await units.outsider();
    await application.query(`begin; select from ${unit.schema}.item where id = 5 for update`);
    const connection = await units.connect();
    const done = unit.migrate(migrations, connection);
    await sessionWaiting(await units.outsider(), connection.pid);
    expect(await stepsOf(unit)).toMatchObject([{ state: 'started', done: 1 }]);
    await application.query('commit');
    await done;
    expect(await stepsOf(unit)).toMatchObject([{ state: 'applied', done: 4 }]);
  });
});
