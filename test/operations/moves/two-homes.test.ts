import { describe, expect, test } from 'vitest';
import type { Tenant } from '../../../src/core/tenant.js';
import type { Tier } from '../../../src/core/tier.js';
import { requireMove } from '../../../src/engine/catalog/moves.js';
import { finishMove, goBack, goOn } from '../../../src/operations/moves/conduct.js';
import { rollback } from '../../../src/operations/rollback.js';
import { explainRun } from '../../../src/operations/runs/explain.js';
import { Fleet } from '../../../src/engine/context.js';
import { skipUnit } from '../../../src/operations/runs/skip.js';
import { resumeRun } from '../../../src/operations/runs/resume.js';
import { failureOf } from '../../engine/ledger/directory.js';
import { dyingFleet } from '../../engine/tiers/support.js';
import { query, useServer, withClient } from '../../support/server.js';
import { addMigration, processOf, runMigrations, startBadges } from './exclusion-support.js';
import { type MovingFleet, movingFleet } from './fleet.js';
import { leftovers } from './leftovers.js';

const server = useServer();
/** How long writes wait is promised elsewhere. */
const UNHURRIED = { moves: { maxPauseMs: 10_000 } };
const STEP = 'alter table customer add column extra text;';
const BACK = 'alter table customer drop column extra;';
const GO = { wait: false, dryRun: false };

/** A new table that is filled from another one, and a new column that is filled. */
const EXPAND = `
  -- tenantctl: allow locks-held-over-work because the homes of these tests have few rows
  create table badge (tenant_id uuid not null, id bigint not null, label text not null, primary key (tenant_id, id));
  insert into badge select tenant_id, id, email from customer;
  alter table customer add column nick text;
  update customer set nick = 'n' || id;`;

const stored = ({ fleet }: MovingFleet, move: string) =>
  fleet.catalog((connection) => requireMove(connection, move));

/** Writes of a tenant to the new table, as an application makes them. */
function useBadges({ database, schema, key }: Tenant): Promise<unknown> {
  return query(
    server.current.superuserUrl(database),
    `set search_path = "${schema}";
     insert into badge values ('${key}', 900001, 'new');
     update badge set label = 'changed' where tenant_id = '${key}' and id = (select max(id) from badge where tenant_id = '${key}' and id < 900001);
     delete from badge where tenant_id = '${key}' and id = (select min(id) from badge where tenant_id = '${key}')`,
  );
}

function rowsOf<Row extends object>({ database, schema, key }: Tenant, what: string): Promise<Row[]> {
  return query(
    server.current.superuserUrl(database),
    `select ${what} where tenant_id = $1 order by 1`.replaceAll('home', `"${schema}"`),
    [key],
  );
}

const badges = (tenant: Tenant) => rowsOf<{ id: string; label: string }>(tenant, 'id, label from home.badge');

/** What units of the latest run have come to. */
const ended = ({ settings }: MovingFleet) =>
  query<{ unit: string; status: string; to: number | null }>(
    settings.catalogUrl,
    `select unit, status, to_version as "to" from tenantctl_catalog.run_units
      where run = (select id from tenantctl_catalog.runs order by started_at desc limit 1) order by 1`,
  );

/** Leaves a run that has all its units still to do. */
async function interruptedAtOnce(fleet: MovingFleet): Promise<void> {
  const interruption = new AbortController();
  const first = processOf(fleet, {
    signal: interruption.signal,
    onEvent: ({ type }) => type === 'run.started' && interruption.abort(),
  });
  expect(await runMigrations(fleet, { by: first })).toMatchObject({ status: 'paused' });
  await first.close();
}

describe.each([
  ['pool', 'schema'],
  ['schema', 'database'],
  ['database', 'pool'],
  ['schema', 'pool'],
] as [Tier, Tier][])('in the grace period after a move from %s to %s', (from, to) => {
  test('an expand migration runs on both homes, and undo brings back what was written to its table', async () => {
    const fleet = await movingFleet(server.current, UNHURRIED);
    const id = `both-${from}-${to}`;
    await fleet.tenant(id, from);
    const writer = fleet.writer(id);
    await writer.commits(10);
    const { move } = await fleet.promote({ id, to, method: 'online' });
    await writer.commits(20);
    addMigration(fleet, 3, EXPAND);
    const report = await runMigrations(fleet);
    expect(report).toMatchObject({ status: 'succeeded', totals: { failed: 0, skipped: 0 } });
    const pool = `pool:${Object.keys(fleet.settings.clusters['main']?.pools ?? {})[0]}`;
    const unitOf = (tier: Tier, old: string): string => (tier === 'pool' ? pool : `${tier}:${id}${old}`);
    const units = [...new Set([unitOf(from, '@old'), unitOf(to, ''), pool])].toSorted();
    expect(await ended(fleet)).toEqual(units.map((unit) => ({ unit, status: 'succeeded', to: 3 })));
    await useBadges(await fleet.show(id));
    await writer.commits(20);
    const written = await badges(await fleet.show(id));
    const more = startBadges(fleet, id);
    const undone = await goBack(fleet.fleet, await stored(fleet, move));
    await writer.commits(10);
    const acked = await more.stop();
    const { lost, extra, surprises } = await fleet.settle(id, writer);
    expect({ lost, extra, surprises: [...surprises] }).toEqual({ lost: [], extra: [], surprises: [] });
    expect(undone.state).toBe('undone');
    const home = await fleet.show(id);
    expect(home).toMatchObject({ tier: from, version: { id: 3 } });
    expect(written.length).toBeGreaterThan(100);
    const kept = await badges(home);
    const isMore = ({ id: badge }: { id: string }): boolean => Number(badge) < 0;
    expect(kept.filter((badge) => !isMore(badge))).toEqual(written);
    expect(kept.filter(isMore).map((badge) => Number(badge.id))).toEqual(acked);
    expect(await leftovers(server.current, fleet, id)).toEqual([]);
  }, 90_000);
});

describe('the old home in a grace period', () => {
  test('lets migrations through and nobody else, whatever scope an application claims', async () => {
    const fleet = await movingFleet(server.current, UNHURRIED);
    const before = await fleet.tenant('shut', 'pool', 5);
    await fleet.promote({ id: 'shut', to: 'schema' });
    addMigration(fleet, 3, EXPAND);
    expect(await runMigrations(fleet)).toMatchObject({ status: 'succeeded' });
    expect(await rowsOf(before, 'nick from home.customer')).toHaveLength(5);
    const write = `set tenantctl.scope = 'fleet'; set search_path = app; set app.tenant_id = '${before.key}'; update customer set amount = 1`;
    const url = fleet.application.url(before.database);
    await expect(query(url, write)).rejects.toMatchObject({ code: 'TC001' });
  }, 60_000);

  test('takes over the values that a migration has made up at the new one', async () => {
    const fleet = await movingFleet(server.current, UNHURRIED);
    await fleet.tenant('lots', 'schema', 30);
    const { move } = await fleet.promote({ id: 'lots', to: 'pool', method: 'online' });
    addMigration(
      fleet,
      3,
      `-- tenantctl: allow volatile-default because the table has few rows
      alter table customer add column token uuid not null default gen_random_uuid();`,
    );
    await runMigrations(fleet);
    const tokens = 'id, token from home.customer';
    const made = await rowsOf(await fleet.show('lots'), tokens);
    await goBack(fleet.fleet, await stored(fleet, move));
    expect(made).toHaveLength(30);
    expect(await rowsOf(await fleet.show('lots'), tokens)).toEqual(made);
  }, 60_000);

  test('is rolled back with the new one', async () => {
    const fleet = await movingFleet(server.current, UNHURRIED);
    await fleet.tenant('down', 'schema', 5);
    const { move } = await fleet.promote({ id: 'down', to: 'database', method: 'online' });
    addMigration(fleet, 3, STEP, BACK);
    await runMigrations(fleet);
    const back = await rollback(fleet.fleet, { to: '2', select: [], allowDataLoss: true, ...GO });
    expect(back).toMatchObject({ status: 'succeeded', totals: { rolledBack: 0, succeeded: 3 } });
    expect(await ended(fleet)).toEqual(
      ['database:down', expect.stringMatching(/^pool:/), 'schema:down@old'].map((unit) => ({
        unit,
        status: 'succeeded',
        to: 2,
      })),
    );
    expect(await goBack(fleet.fleet, await stored(fleet, move))).toMatchObject({ state: 'undone' });
  }, 60_000);

  test('is part of a selection that means its tenant, and of no other', async () => {
    const fleet = await movingFleet(server.current, UNHURRIED);
    await fleet.tenant('one', 'schema', 5);
    await fleet.tenant('two', 'schema', 5);
    await fleet.promote({ id: 'one', to: 'database', method: 'online' });
    addMigration(fleet, 3, STEP);
    await runMigrations(fleet, { selectors: ['id=two'] });
    expect((await ended(fleet)).map(({ unit }) => unit)).toEqual(['schema:two']);
    await runMigrations(fleet, { selectors: ['id=one'] });
    expect((await ended(fleet)).map(({ unit }) => unit)).toEqual(['database:one', 'schema:one@old']);
  }, 60_000);

  test.each([
    ['completed', finishMove],
    ['undone', goBack],
  ] as const)(
    'is left out of a run that goes on when its move was %s meanwhile',
    async (state, end) => {
      const fleet = await movingFleet(server.current, { ...UNHURRIED, rollout: { concurrency: 1 } });
      const id = `mean-${state}`;
      await fleet.tenant(id, 'schema', 5);
      const { move } = await fleet.promote({ id, to: 'database', method: 'online' });
      addMigration(fleet, 3, STEP);
      await interruptedAtOnce(fleet);
      const old = `schema:${id}@old`;
      const explained = await explainRun(fleet.fleet, undefined, old);
      expect(explained.units).toMatchObject([{ unit: old, status: 'pending' }]);
      await end(fleet.fleet, await stored(fleet, move));
      const report = await resumeRun(fleet.fleet, undefined, GO);
      expect(report).toMatchObject({ status: 'succeeded', totals: { failed: 0 } });
      expect(report.skipped).toContainEqual({
        unit: old,
        reason: 'its move was completed or undone meanwhile',
      });
      expect(await fleet.show(id)).toMatchObject({ status: 'active' });
      expect(await runMigrations(fleet)).toMatchObject({ run: null, totals: { skipped: 0, failed: 0 } });
    },
    60_000,
  );

  test('that one migration has reached alone is no way back, and no home is held for it', async () => {
    const fleet = await movingFleet(server.current, UNHURRIED);
    await fleet.tenant('apart', 'schema', 5);
    const { move } = await fleet.promote({ id: 'apart', to: 'database', method: 'online' });
    addMigration(fleet, 3, STEP);
    await interruptedAtOnce(fleet);
    const reason = { actor: 'suite', reason: 'surgery', ticket: null };
    const person = new Fleet(fleet.settings, { ...fleet.fleet.options, actor: reason });
    await skipUnit(person, 'schema:apart@old', undefined, false);
    await person.close();
    await resumeRun(fleet.fleet, undefined, GO);
    expect(await failureOf(goBack(fleet.fleet, await stored(fleet, move)))).toMatchObject({
      code: 'HOMES_APART',
      exit: 5,
    });
    expect(await stored(fleet, move)).toMatchObject({ state: 'grace', undo: null });
  }, 60_000);

  test('is found complete by an undo that died after a migration', async () => {
    const fleet = await movingFleet(server.current, UNHURRIED);
    await fleet.tenant('dies', 'pool', 20);
    const { move } = await fleet.promote({ id: 'dies', to: 'schema', method: 'online' });
    addMigration(fleet, 3, EXPAND);
    await runMigrations(fleet);
    await useBadges(await fleet.show('dies'));
    const written = await badges(await fleet.show('dies'));
    for (const point of ['undo.recorded', 'move.applied'] as const) {
      const dying = dyingFleet(fleet.fleet, point);
      await expect(goBack(dying, await stored(fleet, move))).rejects.toThrow('died at');
      await dying.close();
    }
    expect(await goOn(fleet.fleet, await stored(fleet, move))).toMatchObject({ state: 'undone' });
    expect(await badges(await fleet.show('dies'))).toEqual(written);
    expect(await leftovers(server.current, fleet, 'dies')).toEqual([]);
  }, 60_000);

  test('has no way back for a new table without a key, and is held no longer for that', async () => {
    const fleet = await movingFleet(server.current, UNHURRIED);
    await fleet.tenant('keyless', 'schema', 5);
    const { move } = await fleet.promote({ id: 'keyless', to: 'pool', method: 'online' });
    addMigration(fleet, 3, 'create table loose (tenant_id uuid not null, what text);');
    await runMigrations(fleet);
    const error = await failureOf(goBack(fleet.fleet, await stored(fleet, move)));
    expect(error).toMatchObject({ code: 'TABLE_WITHOUT_KEY', exit: 6, facts: { table: 'loose' } });
    expect(await stored(fleet, move)).toMatchObject({ state: 'grace', undo: null });
    addMigration(
      fleet,
      4,
      `-- tenantctl: allow table-rewrite, key-built-under-lock because the table has few rows
      alter table loose add id int generated always as identity, add primary key (tenant_id, id);`,
    );
    expect(await runMigrations(fleet)).toMatchObject({ status: 'succeeded', totals: { skipped: 0 } });
    expect(await goBack(fleet.fleet, await stored(fleet, move))).toMatchObject({ state: 'undone' });
  }, 60_000);

  test('is not emptied while it is being migrated', async () => {
    const fleet = await movingFleet(server.current, UNHURRIED);
    await fleet.tenant('emptied', 'schema', 5);
    const { move, from } = await fleet.promote({ id: 'emptied', to: 'database', method: 'online' });
    await withClient(server.current.adminUrl(from.database), async (migration) => {
      await migration.query('begin');
      await migration.query(
        `select tenantctl.claim($1, 2, '{3}', '{0003_step}', '{x}', 'applied', 'suite', null)`,
        [`schema:${from.schema}`],
      );
      const error = await failureOf(finishMove(fleet.fleet, await stored(fleet, move)));
      expect(error).toMatchObject({ code: 'UNIT_BUSY', exit: 5 });
    });
    expect(await finishMove(fleet.fleet, await stored(fleet, move))).toMatchObject({ state: 'completed' });
    expect(await leftovers(server.current, fleet, 'emptied')).toEqual([]);
  }, 60_000);
});

test('a table without a key can be written to after an offline move', async () => {
  const fleet = await movingFleet(server.current, UNHURRIED);
  await fleet.tenant('loose', 'schema', 5);
  addMigration(fleet, 3, 'create table loose (tenant_id uuid not null, what text);');
  await runMigrations(fleet);
  await fleet.promote({ id: 'loose', to: 'database', method: 'offline' }, fleet.another());
  const home = await fleet.show('loose');
  await query(
    server.current.superuserUrl(home.database),
    `insert into "${home.schema}".loose values ($1, 'x')`,
    [home.key],
  );
  expect(await rowsOf(home, 'what from home.loose')).toEqual([{ what: 'x' }]);
}, 60_000);
