import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { FaultPoint } from '../../src/core/faults.js';
import { TIERS, type Tier } from '../../src/core/tier.js';
import type { Fleet } from '../../src/engine/context.js';
import type { Migration } from '../../src/engine/ledger/migration.js';
import type { Home } from '../../src/engine/local/placements.js';
import { driverOf } from '../../src/engine/tiers/registry.js';
import { sql } from '../../src/pg/sql.js';
import {
  countRows,
  dyingFleet,
  homeFor,
  invoicing,
  migrationsOf,
  newApplication,
  opened,
  seeded,
} from '../engine/tiers/support.js';
import { type TestFleet, newFleet } from '../support/fleet.js';
import { query, useServer } from '../support/server.js';
import { halfMadeDatabases, nothingLeft, traces } from './support.js';

const server = useServer();
let migrations: Migration[];

beforeAll(async () => {
  migrations = await invoicing();
});

/** Where each driver may die on the way to a home; the catalog's own points belong to the operation. */
const POINTS: Record<Tier, FaultPoint[]> = {
  pool: ['provision.database-prepared', 'provision.created'],
  schema: ['provision.database-prepared'],
  database: [
    'template.created',
    'template.migrated',
    'provision.database-copied',
    'provision.database-closed',
    'provision.created',
  ],
};

describe.each(TIERS)('a home in tier %s', (tier) => {
  const driver = driverOf(tier);
  let bench: TestFleet;
  let fleet: Fleet;
  let neighbour: Home;

  const home = (id: string): Home => homeFor(bench.settings, tier, id);
  const superuser = (of: Home): string => server.current.superuserUrl(of.placement.database);

  beforeAll(async () => {
    bench = await newFleet(server.current);
    neighbour = await seeded(bench.fleet, home('neighbour'), migrations, 60);
  });

  beforeEach(() => {
    fleet = bench.another();
  });

  test.each(POINTS[tier])('that a crash left at %s is finished by the same call', async (point) => {
    // Migrations of their own, so that a template is built and can be left half made.
    const index = POINTS[tier].indexOf(point);
    const own = tier === 'database' ? migrations.slice(0, 8 + index) : migrations;
    const half = home(`half_${index}`);
    const dying = dyingFleet(fleet, point);
    await expect(driver.create(dying, half, own)).rejects.toThrow(`died at ${point}`);
    await dying.close();

    expect(await driver.create(fleet, half, own)).toBe('making');
    await driver.admit(fleet, half, async () => undefined);
    expect(await driver.inspect(fleet, half)).toEqual({
      state: 'present',
      key: half.tenant.key,
      admission: 'active',
    });
    const unit = driver.unit('half', half.placement).ledgerKey;
    const ledger = await query<{ id: number }>(
      superuser(half),
      'select id from tenantctl.ledger where unit = $1 order by id',
      [unit],
    );
    expect(ledger.map(({ id }) => id)).toEqual(own.map(({ id }) => id));
    expect(await halfMadeDatabases(server.current)).toEqual([]);
  });

  test('whose migration failed is not there, and is made with the corrected file', async () => {
    const other = await newFleet(server.current);
    const broken = await migrationsOf('create table note (tenant_id uuid not null); select 1/0');
    const mended = await migrationsOf('create table note (tenant_id uuid not null)');
    const half = homeFor(other.settings, tier, 'half');
    await expect(driver.create(other.fleet, half, broken)).rejects.toMatchObject({
      code: 'MIGRATION_FAILED',
      facts: { sqlstate: '22012' },
    });
    const next = other.another();
    expect(await driver.inspect(next, half)).toEqual(nothingLeft(tier));
    expect(await driver.create(next, half, mended)).toBe('making');
    await driver.admit(next, half, async () => undefined);
    const rows = await driver.open(next, half, (session) => session.rows(sql`select from note`));
    expect(rows).toEqual([]);
    expect(await halfMadeDatabases(server.current)).toEqual([]);
  });

  test('for which nothing is to be prepared is open when it is made, or with the next call', async () => {
    const ready = home('ready');
    const made = await driver.create(fleet, ready, migrations, { ready: true });
    expect(made).toBe(tier === 'database' ? 'making' : 'active');
    if (made === 'making') await driver.admit(fleet, ready);
    const application = await newApplication(bench.settings);
    const seen = await application.asTenant(ready, (client) => client.query('select from document_counter'));
    expect(seen.rowCount).toBe(0);
    expect(await driver.create(fleet, ready, migrations, { ready: true })).toBe('active');
  });

  test('is not there before what it waits for has come true, and not at all if that fails', async () => {
    const waiting = home('waiting');
    let refuse = (_reason: Error): void => undefined;
    const promise = new Promise<never>((_resolve, reject) => (refuse = reject));
    promise.catch(() => undefined);
    const refused = expect(
      driver.create(fleet, waiting, migrations, { ready: true, until: promise }),
    ).rejects.toThrow('not written down');
    expect(await driver.inspect(bench.fleet, waiting)).toEqual(nothingLeft(tier));
    refuse(new Error('not written down'));
    await refused;
    expect(await traces(server.current, waiting)).toEqual([]);
    expect(await driver.create(fleet, waiting, migrations)).toBe('making');
  });

  test('is gone without a trace when it is dropped, and its neighbour loses nothing', async () => {
    const doomed = await seeded(fleet, home('doomed'), migrations, 60);
    const before = await countRows(superuser(neighbour), neighbour);
    expect((await traces(server.current, doomed)).length).toBeGreaterThan(0);

    for (const _time of ['once', 'twice']) {
      await driver.drop(fleet, doomed);
      expect(await traces(server.current, doomed)).toEqual([]);
      expect(await driver.inspect(fleet, doomed)).toEqual(nothingLeft(tier));
    }
    expect(await countRows(superuser(neighbour), neighbour)).toEqual(before);
    expect(await driver.create(fleet, doomed, migrations)).toBe('making');
  });

  test('can be dropped half made, wherever that was', async () => {
    for (const [index, point] of POINTS[tier].entries()) {
      const half = home(`given_up_${index}`);
      const dying = dyingFleet(fleet, point);
      // The template's points are not reached any more; what is dropped is then a whole home.
      await driver.create(dying, half, migrations).catch((error: Error) => {
        expect(error.message).toBe(`died at ${point}`);
      });
      await dying.close();
      await driver.drop(fleet, half);
      expect(await traces(server.current, half)).toEqual([]);
    }
    expect(await halfMadeDatabases(server.current)).toEqual([]);
  });

  test('may have a name that SQL has to quote', async () => {
    const other = await newFleet(server.current, {
      tenancy: { names: { schema: 'T-1 "x".{id}', database: 'D-1 "y".{id}' } },
    });
    const { settings } = other;
    const cluster = settings.clusters['main'];
    if (cluster === undefined) throw new Error('the test fleet has a cluster main');
    for (const pool of Object.values(cluster.pools)) pool.schema = 'The App';
    const odd = await opened(other.fleet, homeFor(settings, tier, 'acme-1'), migrations);
    const application = await newApplication(settings);
    const added = await application.asTenant(odd, (client) =>
      client.query(`insert into document_counter (kind) values ('odd') returning tenant_id`),
    );
    expect(added.rows).toEqual([{ tenant_id: odd.tenant.key }]);
    await driver.fence(other.fleet, odd, 'suspended');
    await driver.drop(other.fleet, odd);
    expect(await traces(server.current, odd).catch(() => [])).toEqual([]);
    expect(await driver.inspect(other.fleet, odd)).toEqual(nothingLeft(tier));
  });
});

test('a database whose maker died before it got its name is dropped with its role', async () => {
  const { fleet, settings } = await newFleet(server.current);
  const driver = driverOf('database');
  const half = homeFor(settings, 'database', 'half');
  const dying = dyingFleet(fleet, 'provision.database-closed');
  await expect(driver.create(dying, half, migrations)).rejects.toThrow('died');
  await dying.close();
  const [passing] = await halfMadeDatabases(server.current);
  // As after a crash one step later: everything is there but the name.
  await driver.create(fleet, half, migrations);
  const { database } = half.placement;
  await fleet.connections('main').leave(database);
  await query(server.current.superuserUrl('postgres'), `alter database "${database}" rename to "${passing}"`);

  await driver.drop(fleet, half);
  expect(await traces(server.current, half)).toEqual([]);
  expect(await halfMadeDatabases(server.current)).toEqual([]);
});
