import type pg from 'pg';
import { describe, expect, test } from 'vitest';
import type { Migration } from '../../../src/engine/ledger/migration.js';
import { failureOf, migrationsOf } from './directory.js';
import { type TestUnit, appliedIds, endSession, sessionWaiting, useUnits } from './units.js';

const units = useUnits();

const ITEMS = 'create table item (id int primary key, n int)';
const INDEX = '-- tenantctl: no-transaction\n-- why\ncreate index concurrently item_n on item (n);';

/** Starts a migration and ends its session while it waits for what `blocker` holds. */
async function killWhileWaiting(
  unit: TestUnit,
  migrations: readonly Migration[],
  observer: pg.Client,
): Promise<void> {
  const connection = await units.connect();
  const ended = failureOf(unit.migrate(migrations, connection));
  await sessionWaiting(observer, connection.pid);
  await endSession(observer, connection.pid);
  expect(await ended).toMatchObject({ code: 'CANNOT_CONNECT', exit: 4 });
}

const statesOf = async (unit: TestUnit) => (await unit.ledger()).map(({ id, state }) => `${id} ${state}`);

const indexOf = (unit: TestUnit, name: string) =>
  unit.rows<{ oid: number; valid: boolean }>(
    `select i.indexrelid::int as oid, i.indisvalid as valid from pg_index i join pg_class c on c.oid = i.indexrelid
      where c.relnamespace = $1::regnamespace and c.relname = $2`,
    [unit.schema, name],
  );

describe('an index that is built concurrently', () => {
  const withItems = async () => {
    const unit = await units.newUnit();
    const migrations = await migrationsOf(ITEMS, INDEX, 'create table later ()');
    await unit.migrate(migrations.slice(0, 1));
    return { unit, migrations };
  };

  test('is built while the unit is in use, and the next migration follows it', async () => {
    const { unit, migrations } = await withItems();
    await unit.migrate(migrations);
    expect(await indexOf(unit, 'item_n')).toEqual([{ oid: expect.any(Number), valid: true }]);
    expect(await statesOf(unit)).toEqual(['1 applied', '2 applied', '3 applied']);
  });

  test('is built again by the next run when the session was killed in the middle', async () => {
    const { unit, migrations } = await withItems();
    const application = await units.outsider();
    const observer = await units.outsider();
    await application.query(`begin; insert into ${unit.schema}.item values (1, 1)`);
    await killWhileWaiting(unit, migrations, observer);
    expect(await statesOf(unit)).toEqual(['1 applied', '2 started']);
    const [left] = await indexOf(unit, 'item_n');
    expect(left?.valid).toBe(false);
    await application.query('commit');
    await unit.migrate(migrations);
    const [rebuilt] = await indexOf(unit, 'item_n');
    expect(rebuilt?.valid).toBe(true);
    expect(rebuilt?.oid).not.toBe(left?.oid);
    expect(await statesOf(unit)).toEqual(['1 applied', '2 applied', '3 applied']);
  });

  test('is kept when it was finished before the crash', async () => {
    const { unit, migrations } = await withItems();
    await unit.migrate(migrations.slice(0, 2));
    const [before] = await indexOf(unit, 'item_n');
    await unit.rows(`update tenantctl.ledger set state = 'started' where unit = $1 and id = 2`, [
      unit.target.unit.ledgerKey,
    ]);
    await unit.migrate(migrations);
    expect(await indexOf(unit, 'item_n')).toEqual([before]);
    expect(await statesOf(unit)).toEqual(['1 applied', '2 applied', '3 applied']);
  });

  test('is built again where IF NOT EXISTS would keep a broken one', async () => {
    const unit = await units.newUnit();
    const unique =
      '-- tenantctl: no-transaction\ncreate unique index concurrently if not exists item_n on item (n);';
    const migrations = await migrationsOf(`${ITEMS}; insert into item values (1, 7), (2, 7)`, unique);
    const error = await failureOf(unit.migrate(migrations));
    expect(error.facts).toMatchObject({ sqlstate: '23505', line: 2, migration: '0002_step' });
    expect(error.message).toContain('detail: Key (n)=(7) is duplicated.');
    expect(await indexOf(unit, 'item_n')).toEqual([]);
    await unit
      .rows(`create unique index concurrently item_n on ${unit.schema}.item (n)`)
      .catch(() => undefined);
    expect(await indexOf(unit, 'item_n')).toMatchObject([{ valid: false }]);
    await unit.rows(`delete from ${unit.schema}.item where id = 2`);
    await unit.migrate(migrations);
    expect(await indexOf(unit, 'item_n')).toMatchObject([{ valid: true }]);
  });

  test('is a plain one in a home that nobody reads yet: no old snapshot is waited for', async () => {
    const unit = await units.newUnit();
    const other = await units.newUnit();
    await other.rows('create table busy ()');
    const application = await units.outsider();
    await application.query('begin isolation level repeatable read; select 1 from busy');
    await unit.fill(await migrationsOf(ITEMS, INDEX));
    expect(await indexOf(unit, 'item_n')).toMatchObject([{ valid: true }]);
    expect(await statesOf(unit)).toEqual(['1 applied', '2 applied']);
  });
});

describe('a file outside a transaction', () => {
  test('that fails in a later statement is shown there', async () => {
    const unit = await units.newUnit();
    const text = `-- tenantctl: no-transaction\n${ITEMS};\n\nselect 'ü🎉', nope\n  from item;`;
    const error = await failureOf(unit.migrate(await migrationsOf(text)));
    expect(error.facts).toMatchObject({ line: 4, sqlstate: '42703', migration: '0001_step' });
    expect(error.message).toContain(`4 | select 'ü🎉', nope\n${' '.repeat('4 | '.length + 13)}^`);
    expect(await statesOf(unit)).toEqual(['1 started']);
  });

  test('that drops, rebuilds and cleans up fills a new home too', async () => {
    const statements =
      'vacuum (analyze) item; reindex index concurrently item_n; drop index concurrently item_n;';
    const migrations = await migrationsOf(ITEMS, INDEX, `-- tenantctl: no-transaction\n${statements}`);
    const [fresh, grown] = [await units.newUnit(), await units.newUnit()];
    await fresh.fill(migrations);
    for (const count of [1, 2, 3]) await grown.migrate(migrations.slice(0, count));
    for (const unit of [fresh, grown]) {
      expect(await indexOf(unit, 'item_n')).toEqual([]);
      expect(await appliedIds(unit)).toEqual([1, 2, 3]);
    }
  });
});

const BACKFILL = `-- tenantctl: batched
update item set n = id * 2 where id in (select id from item where n is null order by id limit 10)`;
const ROWS = 'insert into item select i from generate_series(1, 25) i';

const filledRows = async (unit: TestUnit): Promise<number> => {
  const [row] = await unit.rows<{ filled: number }>(
    `select count(*)::int as filled from ${unit.schema}.item where n is not null`,
  );
  return row?.filled ?? -1;
};

describe('a batched backfill', () => {
  const withRows = async () => {
    const unit = await units.newUnit();
    const migrations = await migrationsOf(`${ITEMS}; ${ROWS}`, BACKFILL);
    await unit.migrate(migrations.slice(0, 1));
    return { unit, migrations };
  };

  test('takes as many transactions as it needs', async () => {
    const { unit, migrations } = await withRows();
    await unit.migrate(migrations);
    const batches = await unit.rows<{ rows: number }>(
      `select count(*)::int as rows from ${unit.schema}.item group by xmin::text order by min(id)`,
    );
    expect(batches.map(({ rows }) => rows)).toEqual([10, 10, 5]);
    expect(await statesOf(unit)).toEqual(['1 applied', '2 applied']);
  });

  test('goes on where it was killed', async () => {
    const { unit, migrations } = await withRows();
    const application = await units.outsider();
    const observer = await units.outsider();
    await application.query(`begin; select from ${unit.schema}.item where id = 15 for update`);
    await killWhileWaiting(unit, migrations, observer);
    expect(await filledRows(unit)).toBe(10);
    expect(await statesOf(unit)).toEqual(['1 applied', '2 started']);
    await application.query('commit');
    await unit.migrate(migrations);
    expect(await filledRows(unit)).toBe(25);
    expect(await statesOf(unit)).toEqual(['1 applied', '2 applied']);
  });

  test('ends between two batches when it is asked to, and goes on there', async () => {
    const { unit, migrations } = await withRows();
    const asked = new AbortController();
    Object.assign(unit.target, { signal: asked.signal, onStep: () => asked.abort() });
    const error = await failureOf(unit.migrate(migrations));
    expect(error).toMatchObject({ code: 'UNIT_INTERRUPTED', facts: { batches: 1 } });
    expect(await filledRows(unit)).toBe(10);
    expect(await statesOf(unit)).toEqual(['1 applied', '2 started']);
    Object.assign(unit.target, { signal: undefined });
    await unit.migrate(migrations);
    expect(await filledRows(unit)).toBe(25);
    expect(await statesOf(unit)).toEqual(['1 applied', '2 applied']);
  });

  test('shows where a batch failed', async () => {
    const { unit } = await withRows();
    const text = `-- tenantctl: batched\n\n  update item set n = 1 / (id - 5)\n where n is null`;
    const error = await failureOf(unit.migrate(await migrationsOf(`${ITEMS}; ${ROWS}`, text)));
    expect(error.facts).toMatchObject({ sqlstate: '22012', line: 3, migration: '0002_step' });
  });

  test('in a pool reaches the rows of every tenant', async () => {
    const unit = await units.newUnit('pool');
    const tenants = ['11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222'];
    const table = 'create table item (tenant_id uuid not null, id int, n int, primary key (tenant_id, id))';
    const rows = tenants.map(
      (tenant) => `insert into item select '${tenant}', i from generate_series(1, 13) i`,
    );
    const migrations = await migrationsOf(
      table,
      rows.join(';'),
      BACKFILL.replaceAll(' id in (select id', ' (tenant_id, id) in (select tenant_id, id'),
    );
    await unit.migrate(migrations);
    const forced = await unit.rows(
      `select relforcerowsecurity as forced from pg_class where oid = $1::regclass`,
      [`${unit.schema}.item`],
    );
    expect(forced).toEqual([{ forced: true }]);
    const scoped = `select set_config('tenantctl.scope', 'fleet', false)`;
    await unit.rows(scoped);
    const counts = await unit.rows(
      `select tenant_id as tenant, count(n)::int as filled from ${unit.schema}.item group by 1 order by 1`,
    );
    expect(counts).toEqual(tenants.map((tenant) => ({ tenant, filled: 13 })));
  });

  test('in a new home repeats in place, until no row of an earlier migration is left', async () => {
    const unit = await units.newUnit();
    const backfill = `${BACKFILL} returning id, touched;`;
    const migrations = await migrationsOf(`${ITEMS}; alter table item add touched int; ${ROWS}`, backfill);
    await unit.fill(migrations);
    expect(await filledRows(unit)).toBe(25);
    expect(await statesOf(unit)).toEqual(['1 applied', '2 applied']);
    const [row] = await unit.rows<{ transactions: number }>(
      `select count(distinct xmin::text)::int as transactions from ${unit.schema}.item`,
    );
    expect(row?.transactions).toBe(1);
  });
});
