import { beforeAll, describe, expect, test } from 'vitest';
import { loadParser } from '../../../src/engine/ledger/parser.js';
import { failureOf, migrationsOf } from './directory.js';
import { type TestUnit, appliedIds, useUnits } from './units.js';

const units = useUnits();
beforeAll(loadParser);

const LIMITS = { lockTimeoutMs: 4_000, blockingTimeoutMs: 5_000, statementTimeoutMs: 60_000, retries: 1 };
const ITEM =
  'create table item (id int, n int); insert into item values (1, 1); create table seen (at int, lock text, statement text)';
const note = (at: number) =>
  `insert into seen select ${at}, current_setting('lock_timeout'), current_setting('statement_timeout');`;
const seenIn = (unit: TestUnit) =>
  unit.rows(`select at, lock, statement from ${unit.schema}.seen order by at`);

const FREE = { lock: '4s', statement: '1min' };
const SHORT = { lock: '300ms', statement: '5s' };

describe('a statement that blocks others', () => {
  test('and all that follow it in its transaction have less time', async () => {
    const unit = await units.newUnit('schema', LIMITS);
    const text = `${note(1)} alter table item add x int; ${note(2)} update item set n = 2; ${note(3)}`;
    await unit.migrate(await migrationsOf(ITEM, text, note(4)));
    expect(await seenIn(unit)).toEqual([
      { at: 1, ...FREE },
      { at: 2, ...SHORT },
      { at: 3, ...SHORT },
      { at: 4, ...FREE },
    ]);
  });

  test('as the first one of its file costs no statement more', async () => {
    const unit = await units.newUnit('schema', LIMITS);
    await unit.migrate(await migrationsOf(ITEM, `alter table item add x int; ${note(1)}`));
    expect(await seenIn(unit)).toEqual([{ at: 1, ...SHORT }]);
  });

  test('may queue for the whole lock timeout when there is only one try', async () => {
    const unit = await units.newUnit('schema', { ...LIMITS, retries: 0 });
    await unit.migrate(await migrationsOf(ITEM, `alter table item add x int; ${note(1)}`));
    expect(await seenIn(unit)).toEqual([{ at: 1, lock: '4s', statement: '5s' }]);
  });

  test('never has more time than any other statement', async () => {
    const unit = await units.newUnit('schema', { ...LIMITS, lockTimeoutMs: 200, statementTimeoutMs: 3_000 });
    await unit.migrate(await migrationsOf(ITEM, `alter table item add x int; ${note(1)}`));
    expect(await seenIn(unit)).toEqual([{ at: 1, lock: '200ms', statement: '3s' }]);
  });

  test('has all the time in a home that nobody reads yet', async () => {
    const unit = await units.newUnit('schema', LIMITS);
    await unit.fill(await migrationsOf(ITEM, `alter table item add x int; ${note(1)}`));
    expect(await seenIn(unit)).toEqual([{ at: 1, ...FREE }]);
  });

  test('that takes too long is ended; the error names the limit, the lock and the way out', async () => {
    const unit = await units.newUnit('schema', { ...LIMITS, blockingTimeoutMs: 100 });
    const text = 'select 1;\n\nalter table item add constraint c\n check (n > 0 and pg_sleep(60) is null);';
    const error = await failureOf(unit.migrate(await migrationsOf(ITEM, text)));
    expect(error).toMatchObject({ code: 'MIGRATION_FAILED', exit: 7 });
    expect(error.facts).toMatchObject({
      sqlstate: '57014',
      line: 3,
      limit: 'rollout.blockingTimeout',
      limitMs: 100,
      locks: [{ relation: 'item', lock: 'ACCESS EXCLUSIVE' }],
    });
    expect(error.message).toContain(
      'stopped after 100 ms, the rollout.blockingTimeout: ACCESS EXCLUSIVE on item blocks readers and writers (SQLSTATE 57014)',
    );
    expect(error.hint).toContain('NOT VALID');
    expect(error.hint).toContain('rollout.blockingTimeout');
    expect(await appliedIds(unit)).toEqual([1]);
  });

  test('is told also where it was an earlier one of the file', async () => {
    const unit = await units.newUnit('schema', { ...LIMITS, blockingTimeoutMs: 100 });
    const text = 'create index item_n on item (n);\nupdate item set n = 2 where pg_sleep(60) is null';
    const error = await failureOf(unit.migrate(await migrationsOf(ITEM, text)));
    expect(error.facts).toMatchObject({ line: 2, locks: [{ relation: 'item', lock: 'SHARE' }] });
    expect(error.message).toContain('SHARE on item blocks writers');
    expect(error.hint).toContain('batched');
  });
});

test('an error after our own statement in between is shown at its line', async () => {
  const unit = await units.newUnit('schema', LIMITS);
  const first = `select 'ü🎉';\nalter table item add x int;\n  select nope from item`;
  const positioned = await failureOf(unit.migrate(await migrationsOf(ITEM, first)));
  expect(positioned.facts).toMatchObject({ sqlstate: '42703', line: 3 });
  expect(positioned.message).toContain('0002_step.sql:3:10');
  const second = `select 1;\nalter table item add x int;\nselect 1;\n  alter table item add x int`;
  const counted = await failureOf(
    (await units.newUnit('schema', LIMITS)).migrate(await migrationsOf(ITEM, second)),
  );
  expect(counted.facts).toMatchObject({ sqlstate: '42701', line: 4 });
});

test('a statement that blocks nobody is ended by the statement timeout, which the error names', async () => {
  const unit = await units.newUnit('schema', { ...LIMITS, statementTimeoutMs: 100, blockingTimeoutMs: 50 });
  const error = await failureOf(unit.migrate(await migrationsOf(ITEM, 'select pg_sleep(60)')));
  expect(error.facts).toMatchObject({ sqlstate: '57014', limit: 'rollout.statementTimeout', limitMs: 100 });
});

test.each([
  [
    `create function slow(n int) returns int language plpgsql immutable as 'begin perform pg_sleep(60); return n; end';
     create index item_n on item (slow(n))`,
    'CONCURRENTLY',
  ],
  ['alter table item add x float default pg_sleep(60)::text::float', 'phase=expand'],
  ['alter table item add y int; do $$ begin perform pg_sleep(60); end $$', 'Do less in one migration'],
])('%s: the hint says how to write it', async (statement, hint) => {
  const unit = await units.newUnit('schema', { ...LIMITS, blockingTimeoutMs: 100 });
  const error = await failureOf(unit.migrate(await migrationsOf(ITEM, statement)));
  expect(error.facts).toMatchObject({ limit: 'rollout.blockingTimeout' });
  expect(error.hint).toContain(hint);
});
