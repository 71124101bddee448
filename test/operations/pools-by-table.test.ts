import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { PoolSettings } from '../../src/core/settings.js';
import { exportTenant } from '../../src/operations/export.js';
import { migrate } from '../../src/operations/migrate.js';
import { promote } from '../../src/operations/moves/promote.js';
import { provisionTenant } from '../../src/operations/provision.js';
import { restoreTenant } from '../../src/operations/restore/restore.js';
import { uninstall } from '../../src/operations/uninstall/uninstall.js';
import { newFolder } from '../support/folder.js';
import { withClient } from '../support/server.js';
import { legacyFleet } from './adopt/legacy.js';
import { type SmallFleet, useFleets } from './fleets.js';
import { Crash, crashAt, withFleet } from './provision-support.js';

const fleets = useFleets();

/** A pool that observes, with two tables of tenants that the application uses, and two rows of two tenants in each. */
async function observed(): Promise<{ fleet: SmallFleet; pool: PoolSettings; role: string }> {
  const fleet = await fleets.make({ pool: 2, schema: 0, database: 0 }, { tenancy: { rls: 'observe' } });
  const { appRole } = fleet.settings.tenancy;
  await fleet.shared(`
    create table app.note (tenant_id uuid, body text);
    grant select, insert on app.note to ${appRole};
    grant select, insert, update, delete on app.item to ${appRole};
    insert into app.note values ('${ACME}', 'acme'), ('${BOLT}', 'bolt');
    insert into app.item (tenant_id, id, note) values ('${ACME}', 1, 'acme'), ('${BOLT}', 1, 'bolt')`);
  await fleet.shared(
    `update tenantctl.placement set key = case tenant when 'pool-1' then '${ACME}' else '${BOLT}' end`,
  );
  const [pool] = Object.values(fleet.settings.clusters['main']?.pools ?? {});
  if (pool === undefined) throw new Error('the fleet has no pool');
  return { fleet, pool, role: appRole };
}

const ACME = '00000000-0000-4000-8000-00000000000a';
const BOLT = '00000000-0000-4000-8000-00000000000b';

/** What the application reads of a table in a session of one tenant. */
function seen(fleet: SmallFleet, table: string, role = fleet.settings.tenancy.appRole): Promise<string[]> {
  return withClient(fleet.sharedUrl, async (client) => {
    await client.query(`set app.tenant_id = '${ACME}'; set role ${role}`);
    const { rows } = await client.query<{ tenant_id: string }>(
      `select tenant_id from app.${table} order by 1`,
    );
    return rows.map((row) => row.tenant_id);
  });
}

/** Everything that enforcing changes about a table. */
const standing = (fleet: SmallFleet, table: string) =>
  fleet.shared(`
    select c.relrowsecurity, c.relforcerowsecurity, c.relacl::text, a.attnotnull, a.atthasdef,
           array(select polname::text from pg_policy where polrelid = c.oid order by 1) as policies,
           array(select conname::text from pg_constraint where conrelid = c.oid and contype = 'c') as checks
      from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' where c.oid = 'app.${table}'::regclass`);

describe('a table that is added to `enforce` of a pool that observes', () => {
  test('is held to its tenants by the next migrate, although no file is pending, and goes back to exactly what it was', async () => {
    const { fleet, pool } = await observed();
    const before = await standing(fleet, 'note');
    pool.enforce = ['note'];
    expect((await fleet.preview()).pools).toEqual([
      {
        pool: `pool:${pool.name}`,
        enforced: [
          {
            table: 'note',
            lacks: [
              'row-level security is not enabled',
              'row-level security is not forced on the owner',
              'no policy holds it to the tenant',
              'no policy lets the administrator see all of it',
              'column tenant_id may be NULL',
            ],
          },
        ],
        opened: [],
        stillEnforced: [],
        problems: [],
      },
    ]);
    expect(await standing(fleet, 'note')).toEqual(before);
    expect(await seen(fleet, 'note')).toEqual([ACME, BOLT]);

    const report = await fleet.migrate();
    expect(report).toMatchObject({ run: null, status: 'succeeded' });
    expect(report.pools?.[0]?.enforced.map(({ table }) => table)).toEqual(['note']);
    expect(await standing(fleet, 'note')).toMatchObject([
      { relrowsecurity: true, relforcerowsecurity: true, attnotnull: true, atthasdef: true, checks: [] },
    ]);
    expect(await seen(fleet, 'note')).toEqual([ACME]);
    expect(await standing(fleet, 'item')).toMatchObject([{ relrowsecurity: false, policies: [] }]);
    expect(await seen(fleet, 'item')).toEqual([ACME, BOLT]);
    expect((await fleet.migrate()).pools).toBeUndefined();
    expect(
      await fleet.catalog(
        `select phase, unit, details->'enforced' as enforced from tenantctl_catalog.audit where action = 'pool.settle' order by seq`,
      ),
    ).toEqual([
      { phase: 'intent', unit: `pool:${pool.name}`, enforced: ['note'] },
      { phase: 'done', unit: `pool:${pool.name}`, enforced: ['note'] },
    ]);

    pool.enforce = [];
    expect((await fleet.migrate()).pools).toMatchObject([{ stillEnforced: ['note'], opened: [] }]);
    expect(await standing(fleet, 'note')).toMatchObject([{ relrowsecurity: true }]);
    expect((await fleet.migrate({ allowOpening: true })).pools).toMatchObject([{ opened: ['note'] }]);
    expect(await standing(fleet, 'note')).toEqual(before);
    expect(await fleet.shared('select * from tenantctl.enforced')).toEqual([]);
  });

  test('is told as a failure and left as it was while rows of it hold no tenant', async () => {
    const { fleet, pool } = await observed();
    await fleet.shared(`insert into app.note values (null, 'nobody''s')`);
    const before = await standing(fleet, 'note');
    pool.enforce = ['note', 'item'];
    const report = await fleet.migrate();
    expect(report).toMatchObject({ status: 'failed', totals: { failed: 1 } });
    expect(report.failures).toMatchObject([
      { unit: `pool:${pool.name}`, code: 'POOL_NOT_SETTLED', sqlstate: '23514' },
    ]);
    expect(report.failures[0]?.message).toContain('table note: rows of it hold no tenant_id');
    expect(await standing(fleet, 'note')).toEqual(before);
    await fleet.shared(`update app.note set tenant_id = '${ACME}' where tenant_id is null`);
    expect((await fleet.migrate()).status).toBe('succeeded');
    expect(await standing(fleet, 'note')).toMatchObject([{ relrowsecurity: true, attnotnull: true }]);
  });

  test('takes its partitions with it; names that cannot be enforced are told', async () => {
    const { fleet, pool } = await observed();
    await fleet.shared(`
      create table app.event (tenant_id uuid, at int) partition by range (at);
      create table app.event_1 partition of app.event for values from (0) to (10);
      create table app.line (item int)`);
    pool.enforce = ['event', 'line', 'gone'];
    const [settled] = (await fleet.migrate()).pools ?? [];
    expect(settled?.enforced.map(({ table }) => table)).toEqual(['event', 'event_1']);
    expect(settled?.problems).toEqual(['line: it has no column tenant_id', 'gone: there is no such table']);
    for (const table of ['event', 'event_1'])
      expect(await standing(fleet, table)).toMatchObject([{ relrowsecurity: true, attnotnull: true }]);
  });

  test('gets what it needs with the migration that makes it, and its pool stays like the files', async () => {
    const { fleet, pool } = await observed();
    pool.enforce = ['later'];
    fleet.add(
      'create table later (tenant_id uuid, body text);',
      'create table open (tenant_id uuid, body text);',
    );
    expect(await fleet.migrate()).toMatchObject({ status: 'succeeded', totals: { failed: 0 } });
    expect(await standing(fleet, 'later')).toMatchObject([{ relrowsecurity: true, attnotnull: true }]);
    expect(await standing(fleet, 'open')).toMatchObject([{ relrowsecurity: false, policies: [] }]);
    expect((await fleet.migrate()).pools).toBeUndefined();
  });
});

describe('a pool whose tables another role owns', () => {
  test('is enforced as its owner, whose rights the administrator need not inherit; the owner itself is held to the tenant', async () => {
    const { fleet, pool } = await observed();
    const owner = `${fleet.settings.tenancy.appRole}_owner`;
    const admin = new URL(fleet.settings.catalogUrl).username;
    await fleet.shared(`create role ${owner} nologin noinherit`);
    // Before 16 it was the member that inherited or not.
    await fleet
      .shared(`grant ${owner} to ${admin} with inherit false, set true`)
      .catch(() => fleet.shared(`alter role ${admin} noinherit; grant ${owner} to ${admin}`));
    await fleet.shared(
      `grant usage, create on schema app to ${owner}; alter table app.note owner to ${owner}`,
    );
    const before = await standing(fleet, 'note');
    pool.enforce = ['note'];
    expect(await fleet.migrate()).toMatchObject({ status: 'succeeded' });
    expect(await seen(fleet, 'note', owner)).toEqual([ACME]);
    pool.enforce = [];
    expect(await fleet.migrate({ allowOpening: true })).toMatchObject({ status: 'succeeded' });
    expect(await seen(fleet, 'note', owner)).toEqual([ACME, BOLT]);
    expect(await standing(fleet, 'note')).toEqual(before);
  });
});

describe('killed between two tables', () => {
  test('the same command settles the rest', async () => {
    const { fleet, pool } = await observed();
    pool.enforce = ['note', 'item'];
    const crash = withFleet(fleet.settings, { reach: crashAt('pool.table-settled') }, (other) =>
      fleet.migrate({ fleet: other }),
    );
    await expect(crash).rejects.toThrow(Crash);
    const settled = await fleet.migrate();
    expect(settled.pools?.[0]?.enforced).toHaveLength(1);
    for (const table of ['note', 'item'])
      expect(await standing(fleet, table)).toMatchObject([
        { relrowsecurity: true, relforcerowsecurity: true },
      ]);
    expect((await fleet.migrate()).pools).toBeUndefined();
  });
});

describe('a pool that observes takes in nobody', () => {
  test('a move and a restore are refused with the tables that are open, and the move goes once they are enforced', async () => {
    const { fleet, pool } = await observed();
    await provisionTenant(fleet.fleet, { id: 'apart', tier: 'schema', cluster: 'main' });
    await fleet.shared('drop table app.note');
    const move = () => promote(fleet.fleet, { id: 'apart', to: 'pool' }, { dryRun: false });
    await expect(move()).rejects.toMatchObject({
      exit: 6,
      message: expect.stringContaining(
        'every tenant of it would read and change the rows of this one in item',
      ) as string,
    });
    const directory = join(newFolder(), 'export');
    await exportTenant(fleet.fleet, { id: 'apart', directory }, { dryRun: false });
    await expect(restoreTenant(fleet.fleet, { directory, id: 'again', tier: 'pool' })).rejects.toMatchObject({
      code: 'POOL_IS_OPEN',
      exit: 6,
    });
    expect(await fleet.catalog(`select from tenantctl_catalog.tenants where id = 'again'`)).toEqual([]);
    pool.enforce = ['item'];
    expect(await fleet.migrate()).toMatchObject({ status: 'succeeded' });
    expect(await move()).toMatchObject({ tenant: 'apart' });
  });
});

describe('a pool that was adopted', () => {
  test('is enforced table by table, migrated onward, and uninstalled as closed as it is then', async () => {
    const made = await legacyFleet(fleets.server);
    const database = `${made.database}_pool`;
    await made.makeDatabase(database);
    await made.makeSchema('pooled', 4, database);
    await made.asOwner(
      `create table pooled.account (tenant_id uuid, name text); insert into pooled.account values ('${ACME}', 'acme'), ('${BOLT}', 'bolt')`,
      database,
    );
    const [pool] = Object.values(made.settings.clusters['main']?.pools ?? {});
    if (pool === undefined) throw new Error('the fleet has no pool');
    Object.assign(pool, { database, schema: 'pooled', rls: 'observe' });
    Object.assign(made.settings.tenancy, { appRole: made.app });
    const rows = [
      { id: 'acme', tier: 'pool' as const, database, schema: 'pooled', key: ACME },
      { id: 'bolt', tier: 'pool' as const, database, schema: 'pooled', key: BOLT },
    ];
    const [odd] = (await made.dryRun(rows)).refused;
    await made.adopt(rows, { accept: [/--accept (\w+)/.exec(odd?.hint ?? '')?.[1] ?? ''] });
    const run = () => migrate(made.fleet, { select: [], allowEmpty: false, dryRun: false });

    pool.enforce = ['account'];
    expect(await run()).toMatchObject({ status: 'succeeded', pools: [{ enforced: [{ table: 'account' }] }] });
    const asOwnerOf = (tenant: string) =>
      made.inside<{ name: string }>(
        `begin; set local role ${made.owner}; select set_config('app.tenant_id', '${tenant}', true); select name from pooled.account`,
        database,
      );
    expect(await asOwnerOf(ACME)).toEqual([{ name: 'acme' }]);
    writeFileSync(
      join(made.directory, '20240105000000_due.sql'),
      '-- migrate:up\nalter table bill add column due date;\n',
    );
    expect(await run()).toMatchObject({ status: 'succeeded', totals: { failed: 0, succeeded: 1 } });
    await uninstall(made.fleet, { dryRun: false });
    expect(await asOwnerOf(BOLT)).toEqual([{ name: 'bolt' }]);
    expect(await asOwnerOf('')).toEqual([]);
  });
});
