import type pg from 'pg';
import { describe, expect, test } from 'vitest';
import { useServer } from '../../support/server.js';
import { failureOf, migrationsOf } from './directory.js';
import { appliedIds, sessionWaiting, useUnits } from './units.js';

const units = useUnits(useServer({ max_prepared_transactions: '4' }));

const TABLES =
  'create table item (id int primary key, n int); insert into item values (1, 1), (2, 2); create table other (id int primary key)';
const ALTER = 'alter table item add x int';

const pidOf = async (client: pg.Client): Promise<number> =>
  (await client.query('select pg_backend_pid() as pid')).rows[0].pid;

/** A unit with its tables, and what it lacks. */
async function unitWith(text: string, rollout: { lockTimeoutMs: number; retries: number }) {
  const unit = await units.newUnit('schema', rollout);
  const migrations = await migrationsOf(TABLES, text);
  await unit.migrate(migrations.slice(0, 1));
  return { unit, migrations };
}

describe('while a transaction holds a table that a migration alters', () => {
  const waiting = async () => {
    const { unit, migrations } = await unitWith(ALTER, { lockTimeoutMs: 60_000, retries: 3 });
    const reader = await units.outsider();
    await reader.query(`begin; select from ${unit.schema}.item`);
    const connection = await units.connect();
    const observer = await units.outsider();
    const state = { ended: false };
    const outside = new Promise<string>((resolve) => (unit.target.onStep = resolve));
    const done = unit.migrate(migrations, connection).finally(() => (state.ended = true));
    expect(await outside).toContain(`waits for a lock, blocked by pid ${await pidOf(reader)}`);
    return { unit, reader, observer, connection, state, done };
  };

  test('others read and write it: the migration waits outside the queue, and comes when the table is free', async () => {
    const { unit, reader, observer, state, done } = await waiting();
    await observer.query(`select from ${unit.schema}.item`);
    await observer.query(`update ${unit.schema}.item set n = 3`);
    expect(state.ended).toBe(false);
    expect(await appliedIds(unit)).toEqual([1]);
    await reader.query('commit');
    await done;
    expect(await appliedIds(unit)).toEqual([1, 2]);
  });

  test('those that come later are not waited for: a busy table has its turn', async () => {
    const { unit, reader, observer, connection, done } = await waiting();
    const later = await units.outsider();
    await later.query(`begin; select from ${unit.schema}.item`);
    await reader.query('commit');
    await sessionWaiting(observer, connection.pid);
    await later.query('commit');
    await done;
    expect(await appliedIds(unit)).toEqual([1, 2]);
  });
});

describe('a lock that was not granted names its holder', () => {
  const FEW = { lockTimeoutMs: 50, retries: 1 };

  test('with state and age, in words and as facts', async () => {
    const { unit, migrations } = await unitWith(ALTER, FEW);
    const reader = await units.outsider();
    await reader.query(`set application_name = 'reporting'; begin; select from ${unit.schema}.item`);
    const error = await failureOf(unit.migrate(migrations));
    const pid = await pidOf(reader);
    expect(error).toMatchObject({ code: 'MIGRATION_FAILED', exit: 7 });
    expect(error.facts).toMatchObject({
      sqlstate: '55P03',
      locks: [{ relation: 'item', lock: 'ACCESS EXCLUSIVE' }],
      blockers: [
        { pid, application: 'reporting', state: 'idle in transaction', sinceMs: expect.any(Number) },
      ],
    });
    const blamed = error.message.split('\n').filter((line) => line.includes('blocked by'));
    expect(blamed).toEqual([
      expect.stringMatching(`^  blocked by pid ${pid} .reporting. \\(idle in transaction for \\d+`),
    ]);
  });

  test('also of the other table of a foreign key', async () => {
    const { unit, migrations } = await unitWith(
      'alter table item add foreign key (n) references other not valid',
      FEW,
    );
    const writer = await units.outsider();
    await writer.query(`begin; insert into ${unit.schema}.other values (9)`);
    const error = await failureOf(unit.migrate(migrations));
    expect(error.facts['blockers']).toMatchObject([{ pid: await pidOf(writer) }]);
  });

  test('also of the table of an index, and of a partition', async () => {
    const { unit, migrations } = await unitWith('drop index item_n', FEW);
    await unit.rows(`create index item_n on ${unit.schema}.item (n)`);
    const reader = await units.outsider();
    await reader.query(`begin; select from ${unit.schema}.item`);
    const error = await failureOf(unit.migrate(migrations));
    expect(error.facts['blockers']).toMatchObject([{ pid: await pidOf(reader) }]);

    const parts = await unitWith('alter table parent add x int', FEW);
    await parts.unit.rows(`create table ${parts.unit.schema}.parent (k int) partition by list (k)`);
    await parts.unit.rows(
      `create table ${parts.unit.schema}.part partition of ${parts.unit.schema}.parent default`,
    );
    await reader.query(`commit; begin; select from ${parts.unit.schema}.part`);
    const held = await failureOf(parts.unit.migrate(parts.migrations));
    expect(held.facts['blockers']).toMatchObject([{ pid: await pidOf(reader) }]);
  });

  test('where rows were waited for, and it is tried again without a wait outside', async () => {
    const { unit, migrations } = await unitWith('update item set n = 0', FEW);
    const writer = await units.outsider();
    await writer.query(`begin; update ${unit.schema}.item set n = 5 where id = 1`);
    const error = await failureOf(unit.migrate(migrations));
    expect(error.facts).toMatchObject({ sqlstate: '55P03', blockers: [{ pid: await pidOf(writer) }] });
  });

  test('of a prepared transaction, which has no process', async () => {
    const { unit, migrations } = await unitWith(ALTER, FEW);
    const writer = await units.outsider();
    await writer.query(`begin; insert into ${unit.schema}.item values (3, 3); prepare transaction 'left'`);
    const error = await failureOf(unit.migrate(migrations));
    await writer.query(`rollback prepared 'left'`);
    expect(error.facts['blockers']).toMatchObject([{ pid: 0 }]);
    expect(error.message).toContain('blocked by a prepared transaction (pg_prepared_xacts lists them)');
  });

  test('as far as an administrator without pg_read_all_stats may see it', async () => {
    const { unit, migrations } = await unitWith(ALTER, FEW);
    const stranger = await units.stranger();
    await unit.rows(`grant usage on schema ${unit.schema} to public`);
    await unit.rows(`grant select on ${unit.schema}.item to public`);
    await stranger.query(`set application_name = 'billing'; begin; select from ${unit.schema}.item`);
    const error = await failureOf(unit.migrate(migrations));
    const pid = await pidOf(stranger);
    expect(error.facts['blockers']).toEqual([
      { pid, user: 'units_stranger', application: 'billing', state: null, sinceMs: null },
    ]);
    expect(error.message).toContain(
      `pid ${pid} \`billing\` (its state is shown to members of pg_read_all_stats)`,
    );
  });
});
