import { describe, expect, test } from 'vitest';
import { applyPending } from '../../../src/engine/ledger/apply.js';
import { pendingOf, readLedger } from '../../../src/engine/ledger/entries.js';
import { LOCK_CLASS } from '../../../src/pg/locks.js';
import { failureOf, migrationsOf } from './directory.js';
import { type TestUnit, appliedIds, sessionGoesOn, sessionWaiting, tablesOf, useUnits } from './units.js';

const units = useUnits();
const STEPS = ['create table a (n int)', 'create table b ()', 'create table c ()'];
const APART = '-- tenantctl: no-transaction\nselect 1';

/** Locks the unit as a migration by another process does. */
async function takeUnit(unit: TestUnit) {
  const rival = await units.outsider();
  await rival.query('begin');
  await rival.query('select pg_advisory_xact_lock($1::int, hashtext($2))', [
    LOCK_CLASS.unit,
    unit.target.unit.ledgerKey,
  ]);
  return rival;
}

describe('a unit that another process migrates', () => {
  test.each([
    ['in a transaction', 'create table a ()'],
    ['outside one', APART],
  ])('is busy: nothing waits, nothing is applied %s', async (_where, text) => {
    const unit = await units.newUnit('schema', { retries: 3 });
    const migrations = await migrationsOf(text);
    const rival = await takeUnit(unit);
    const error = await failureOf(unit.migrate(migrations));
    expect(error).toMatchObject({ code: 'UNIT_BUSY', exit: 5, facts: { unit: unit.target.unit.id } });
    expect(await unit.ledger()).toEqual([]);
    await rival.query('commit');
    await unit.migrate(migrations);
    expect(await appliedIds(unit)).toEqual([1]);
  });

  test('leaves the units beside it free', async () => {
    const [busy, free] = [await units.newUnit(), await units.newUnit()];
    await takeUnit(busy);
    await free.migrate(await migrationsOf(...STEPS));
    expect(await appliedIds(free)).toEqual([1, 2, 3]);
  });

  test('gets every migration once, however many come at the same time', async () => {
    const unit = await units.newUnit('schema', { retries: 5 });
    const migrations = await migrationsOf(...STEPS);
    const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => unit.migrate(migrations)));
    const reasons = outcomes.flatMap((outcome) =>
      outcome.status === 'rejected' ? [outcome.reason.code] : [],
    );
    expect(outcomes.length - reasons.length).toBeGreaterThan(0);
    expect(reasons.filter((code) => code !== 'UNIT_BUSY')).toEqual([]);
    expect(await appliedIds(unit)).toEqual([1, 2, 3]);
    expect(await tablesOf(unit)).toEqual(['a', 'b', 'c']);
  });
});

describe('a rival that was faster', () => {
  test('is seen at the claim: what it did is not done again', async () => {
    const unit = await units.newUnit('schema', { retries: 1 });
    const migrations = await migrationsOf(...STEPS, 'insert into a values (1)');
    const connection = await units.connect();
    await unit.migrate(migrations.slice(0, 1), connection);
    const stale = await readLedger(connection, unit.target.unit);
    await unit.migrate(migrations);
    await applyPending(connection, unit.target, migrations, stale);
    expect(await appliedIds(unit)).toEqual([1, 2, 3, 4]);
    expect(await unit.rows(`select n from ${unit.schema}.a`)).toEqual([{ n: 1 }]);
  });

  test('with only a part of it leaves the rest to do', async () => {
    const unit = await units.newUnit('schema', { retries: 1 });
    const migrations = await migrationsOf(...STEPS, APART);
    const connection = await units.connect();
    await unit.migrate(migrations.slice(0, 2));
    await applyPending(connection, unit.target, migrations, []);
    expect(await appliedIds(unit)).toEqual([1, 2, 3, 4]);
  });

  test('outside a transaction as well', async () => {
    const unit = await units.newUnit('schema', { retries: 1 });
    const migrations = await migrationsOf(APART);
    await unit.migrate(migrations);
    await applyPending(await units.connect(), unit.target, migrations, []);
    expect(await appliedIds(unit)).toEqual([1]);
  });
});

describe('a table that an application holds', () => {
  const ALTER = 'alter table a add column extra text';

  const held = async (rollout: { lockTimeoutMs: number; retries: number }) => {
    const unit = await units.newUnit('schema', rollout);
    const migrations = await migrationsOf(...STEPS, ALTER);
    await unit.migrate(migrations.slice(0, 3));
    const application = await units.outsider();
    await application.query(`begin; select * from ${unit.schema}.a`);
    return { unit, migrations, application };
  };

  test('is tried for again, and altered when the application lets go', async () => {
    const { unit, migrations, application } = await held({ lockTimeoutMs: 100, retries: 50 });
    const connection = await units.connect();
    const done = unit.migrate(migrations, connection);
    const observer = await units.outsider();
    await sessionWaiting(observer, connection.pid);
    await sessionGoesOn(observer, connection.pid);
    expect(await appliedIds(unit)).toEqual([1, 2, 3]);
    await application.query('commit');
    expect((await done).map(({ id }) => id)).toEqual([4]);
    expect(await appliedIds(unit)).toEqual([1, 2, 3, 4]);
  });

  test('is given up after the retries, with 55P03 and the place', async () => {
    const { unit, migrations } = await held({ lockTimeoutMs: 20, retries: 2 });
    const error = await failureOf(unit.migrate(migrations));
    expect(error).toMatchObject({ code: 'MIGRATION_FAILED', exit: 7 });
    expect(error.facts).toMatchObject({ sqlstate: '55P03', migration: '0004_step', line: 1 });
    expect(await appliedIds(unit)).toEqual([1, 2, 3]);
  });
});

describe('a ledger that does not fit the files', () => {
  test('because a file was edited is a configuration error that names file and checksums', async () => {
    const unit = await units.newUnit();
    await unit.migrate(await migrationsOf(...STEPS));
    const edited = await migrationsOf(STEPS[0] as string, 'create table b (edited int)', STEPS[2] as string);
    const error = await failureOf(unit.migrate(edited));
    expect(error).toMatchObject({ code: 'MIGRATION_EDITED', exit: 3 });
    expect(error.facts).toMatchObject({ migration: '0002_step', file: edited[1]?.path });
    expect(error.facts['found']).not.toBe(error.facts['recorded']);
    expect(error.hint).toContain('new migration');
  });

  test('because a file was renamed says what it was', async () => {
    const unit = await units.newUnit();
    await unit.migrate(await migrationsOf(...STEPS));
    const files = (await migrationsOf(...STEPS)).map((file) =>
      file.id === 3 ? { ...file, name: '0003_other', fileName: '0003_other.sql' } : file,
    );
    expect((await failureOf(unit.migrate(files))).message).toContain('was 0003_step and is now 0003_other');
  });

  test('because the fleet is ahead of this checkout is a conflict', async () => {
    const unit = await units.newUnit();
    const migrations = await migrationsOf(...STEPS);
    await unit.migrate(migrations);
    const error = await failureOf(unit.migrate(migrations.slice(0, 2)));
    expect(error).toMatchObject({ code: 'UNIT_AHEAD', exit: 5, facts: { migration: '0003_step' } });
  });

  test('but rows that were rolled back are history', async () => {
    const unit = await units.newUnit();
    const migrations = await migrationsOf(...STEPS);
    await unit.migrate(migrations);
    await unit.rows(`drop table ${unit.schema}.c`);
    await unit.rows('update tenantctl.ledger set rolled_back_at = now() where unit = $1 and id = 3', [
      unit.target.unit.ledgerKey,
    ]);
    expect(pendingOf(unit.target.unit, migrations, await unit.ledger()).map(({ id }) => id)).toEqual([3]);
    await unit.migrate(migrations);
    expect(await appliedIds(unit)).toEqual([1, 2, 3]);
  });
});

test('a unit that a tenant is moved out of is not migrated', async () => {
  const unit = await units.newUnit('schema', { retries: 1 });
  await unit.rows(
    `insert into tenantctl.placement (tenant, key, unit, tier, schema, role, status, epoch, state)
     values ($1, $1, $2, 'schema', $1, $1, 'moving', 1, 'moving')`,
    [unit.schema, unit.target.unit.ledgerKey],
  );
  const error = await failureOf(unit.migrate(await migrationsOf(...STEPS)));
  expect(error).toMatchObject({ code: 'UNIT_MOVING', exit: 5 });
  expect(await tablesOf(unit)).toEqual([]);
});
