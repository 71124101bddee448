import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { FaultPoint } from '../../src/core/faults.js';
import { TIERS, type Tier } from '../../src/core/tier.js';
import type { Fleet } from '../../src/engine/context.js';
import type { Migration } from '../../src/engine/ledger/migration.js';
import type { Home } from '../../src/engine/local/placements.js';
import { driverOf } from '../../src/engine/tiers/registry.js';
import { raw, sql } from '../../src/pg/sql.js';
import {
  type Application,
  TENANT_TABLES,
  countRows,
  dyingFleet,
  failure,
  homeFor,
  invoicing,
  migrationsOf,
  newApplication,
  refusal,
  seeded,
} from '../engine/tiers/support.js';
import { type TestFleet, newFleet } from '../support/fleet.js';
import { query, useServer, withClient } from '../support/server.js';

const server = useServer();
let migrations: Migration[];

beforeAll(async () => {
  migrations = await invoicing();
});

/** What an application meets at a closed home: the pool's policies say why, elsewhere the server says no. */
const REFUSED = ['TC002', '42501'];
/** A session that is inside already finds the schema closed, and then no table of that name. */
const REFUSED_INSIDE = [...REFUSED, '42P01'];

/** Where each driver may die on the way to a home; the catalog's own points belong to the operation. */
const POINTS: Record<Tier, FaultPoint[]> = {
  pool: ['provision.database-prepared', 'provision.created'],
  schema: ['provision.database-prepared', 'provision.created'],
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
  let application: Application;
  let acme: Home;
  let bolt: Home;

  const home = (id: string): Home => homeFor(bench.settings, tier, id);
  const superuser = (of: Home): string => server.current.superuserUrl(of.placement.database);

  beforeAll(async () => {
    bench = await newFleet(server.current);
    acme = await seeded(bench.fleet, home('acme'), migrations, 60);
    bolt = await seeded(bench.fleet, home('bolt'), migrations, 60);
    application = await newApplication(bench.settings);
  });

  beforeEach(() => {
    fleet = bench.another();
  });

  test('is found by inspect once it is made, with the key of its tenant', async () => {
    const made = home('made');
    expect(await driver.inspect(fleet, made)).toEqual({ state: 'absent' });
    expect(await driver.create(fleet, made, migrations)).toBe('making');
    expect(await driver.inspect(fleet, made)).toEqual({
      state: 'present',
      key: made.tenant.key,
      admission: 'making',
    });
  });

  test('answers nobody before it is opened', async () => {
    const early = home('early');
    await driver.create(fleet, early, migrations);
    const writing = application.asTenant(early, (client) =>
      client.query(`insert into document_counter (kind) values ('early')`),
    );
    expect(REFUSED).toContain(await refusal(writing));
    const own = driver.open(fleet, early, (session) =>
      session.rows(sql`insert into document_counter (kind) values ('early')`),
    );
    expect(REFUSED_INSIDE).toContain(await refusal(own));
    await driver.admit(fleet, early, async () => undefined);
    const rows = await application.asTenant(early, (client) => client.query('select from tenant_settings'));
    expect(rows.rowCount).toBe(0);
  });

  test('is left as it is when it is made again', async () => {
    const before = await homeFingerprint(superuser(acme), acme);
    expect(await driver.create(fleet, acme, migrations)).toBe('active');
    expect(await homeFingerprint(superuser(acme), acme)).toEqual(before);
  });

  test.each(POINTS[tier])('that a crash left at %s is finished by the same call', async (point) => {
    // Migrations of their own, so that a template is built and can be left half made.
    const index = POINTS[tier].indexOf(point);
    const own = tier === 'database' ? migrations.slice(0, 8 + index) : migrations;
    const half = home(`half_${index}`);
    const dying = dyingFleet(bench.settings, point);
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
    expect(await leftovers()).toEqual([]);
  });

  test('whose migration failed is finished with the corrected file', async () => {
    const other = await newFleet(server.current);
    const broken = await migrationsOf('create table note (tenant_id uuid not null); select 1/0');
    const mended = await migrationsOf('create table note (tenant_id uuid not null)');
    const half = homeFor(other.settings, tier, 'half');
    await expect(driver.create(other.fleet, half, broken)).rejects.toMatchObject({
      code: 'MIGRATION_FAILED',
      facts: { sqlstate: '22012' },
    });
    const next = other.another();
    expect(await driver.create(next, half, mended)).toBe('making');
    await driver.admit(next, half, async () => undefined);
    const rows = await driver.open(next, half, (session) => session.rows(sql`select from note`));
    expect(rows).toEqual([]);
    expect(await leftovers()).toEqual([]);
  });

  test('shows a session every row of its tenant and no other', async () => {
    const expected = await countRows(superuser(acme), acme);
    expect(Object.keys(expected).filter((table) => expected[table] === 0)).toEqual([]);
    const seen: Record<string, number> = {};
    await driver.open(fleet, acme, async (session) => {
      for (const table of TENANT_TABLES) {
        const rows = await session.rows<{ tenant_id: string }>(raw(`select tenant_id from ${table}`));
        expect(new Set(rows.map(({ tenant_id }) => tenant_id))).toEqual(new Set([acme.tenant.key]));
        seen[table] = rows.length;
      }
    });
    expect(seen).toEqual(expected);
  });

  test("cannot touch another tenant's rows", async () => {
    const before = await countRows(superuser(bolt), bolt);
    await driver.open(fleet, acme, async (session) => {
      for (const table of TENANT_TABLES) {
        const foreign = sql`where tenant_id = ${bolt.tenant.key}`;
        expect(await session.execute(sql`select from ${raw(table)} ${foreign}`)).toBe(0);
        expect(await session.execute(sql`update ${raw(table)} set tenant_id = tenant_id ${foreign}`)).toBe(0);
        expect(await session.execute(sql`delete from ${raw(table)} ${foreign}`)).toBe(0);
      }
    });
    // The other tenant's table as it would be called from here; other databases are out of reach altogether.
    const { database, schema } = bolt.placement;
    const place = tier === 'database' ? `"${database}"."${schema}"` : `"${schema}"`;
    const row = `(tenant_id, kind) values ('${bolt.tenant.key}', 'stolen')`;
    const intruding = driver.open(fleet, acme, (session) =>
      session.execute(raw(`insert into ${place}.document_counter ${row}`)),
    );
    expect(await refusal(intruding)).toBe(tier === 'database' ? '0A000' : '42501');
    expect(await countRows(superuser(bolt), bolt)).toEqual(before);
  });

  test('leaves the session that showed it without role and context', async () => {
    await driver.open(fleet, acme, (session) => session.rows(sql`select from customer`));
    const { cluster, database } = acme.placement;
    const after = await fleet.managed(cluster, database, (session) =>
      session.row(
        sql`select current_user = session_user as itself, current_setting('app.tenant_id', true) as tenant`,
      ),
    );
    expect(after).toEqual({ itself: true, tenant: '' });
  });

  test('lists its tables, referenced ones first and partitions not at all', async () => {
    const relations = await driver.relations(fleet, acme);
    const names = relations.map(({ name }) => name);
    const shared = driver.facts.sharesUnit ? [] : ['country', 'currency'];
    expect(names.toSorted()).toEqual([...TENANT_TABLES, ...shared].toSorted());
    const misplaced = relations.flatMap(({ name, references }, index) =>
      references
        .filter((target) => names.includes(target) && names.indexOf(target) > index)
        .map((target) => `${name} before ${target}`),
    );
    // These two point at each other, so one has to come first.
    const circle = misplaced.filter((found) =>
      /^customer(_contact)? before customer(_contact)?$/.test(found),
    );
    expect(circle).toHaveLength(1);
    expect(misplaced).toEqual(circle);
    expect(relations.find(({ name }) => name === 'invoice_line')).toEqual({
      name: 'invoice_line',
      key: ['tenant_id', 'id'],
      tenantColumn: driver.facts.sharesUnit ? 'tenant_id' : null,
      references: ['invoice', 'product', 'tax_rate'],
    });
  });

  test('refuses readers and writers while its fence is closed, and serves them when it is open', async () => {
    const read = () => application.asTenant(bolt, (client) => client.query('select from customer'));
    const write = () =>
      application.asTenant(bolt, (client) => client.query('update tenant_settings set locale = locale'));
    const rows = (await read()).rowCount;
    for (const _time of ['once', 'twice']) {
      await driver.fence(fleet, bolt, 'closed');
      for (const work of [read, write]) {
        const error = await failure(work());
        expect(REFUSED).toContain(error.code);
        if (error.code === 'TC002') expect(JSON.parse(error.detail ?? '')).toEqual(suspended(bolt));
      }
      const own = driver.open(fleet, bolt, (session) => session.rows(sql`select from customer`));
      expect(REFUSED_INSIDE).toContain(await refusal(own));
      const state = await driver.inspect(fleet, bolt);
      expect(state).toMatchObject({ state: 'present', admission: 'suspended' });
    }
    expect(
      (await application.asTenant(acme, (client) => client.query('select from customer'))).rowCount,
    ).toBeGreaterThan(0);
    for (const _time of ['once', 'twice']) {
      await driver.fence(fleet, bolt, 'open');
      expect((await read()).rowCount).toBe(rows);
      expect((await write()).rowCount).toBe(1);
    }
  });

  test('ends or refuses the sessions that were there when its fence closes', async () => {
    await withClient(application.url(acme.placement.database), async (client) => {
      const { role, schema } = acme.placement;
      await client.query(`set role "${role}"`);
      await client.query(`set search_path = "${schema}"`);
      await client.query(`set app.tenant_id = '${acme.tenant.key}'`);
      expect((await client.query('select from customer')).rowCount).toBeGreaterThan(0);
      await driver.fence(fleet, acme, 'closed');
      const outcome = await client.query('select from customer').then(
        () => 'served',
        (error: { code?: string; message: string }) => error.code ?? error.message,
      );
      expect([...REFUSED_INSIDE, '57P01', 'Connection terminated unexpectedly']).toContain(outcome);
    });
    await driver.fence(fleet, acme, 'open');
  });

  test('is gone without a trace when it is dropped, and its neighbour loses nothing', async () => {
    const doomed = await seeded(fleet, home('doomed'), migrations, 60);
    const neighbours = [acme, bolt];
    const before = await Promise.all(neighbours.map((of) => countRows(superuser(of), of)));
    const roles = await trace(doomed);
    expect(roles.length).toBeGreaterThan(0);

    await driver.drop(fleet, doomed);
    expect(await trace(doomed)).toEqual([]);
    expect(await driver.inspect(fleet, doomed)).toEqual({ state: 'absent' });
    await driver.drop(fleet, doomed);
    expect(await driver.inspect(fleet, doomed)).toEqual({ state: 'absent' });
    expect(await Promise.all(neighbours.map((of) => countRows(superuser(of), of)))).toEqual(before);

    expect(await driver.create(fleet, doomed, migrations)).toBe('making');
  });

  test('can be dropped half made', async () => {
    for (const point of POINTS[tier]) {
      const half = home(`given_up_${POINTS[tier].indexOf(point)}`);
      const dying = dyingFleet(bench.settings, point);
      await driver.create(dying, half, migrations).catch(() => undefined);
      await dying.close();
      await driver.drop(fleet, half);
      expect(await trace(half)).toEqual([]);
    }
    expect(await leftovers()).toEqual([]);
  });

  /** What the server still knows of a tenant, by any name it had. */
  async function trace(of: Home): Promise<string[]> {
    const { placement, tenant } = of;
    const own = driver.facts.sharesUnit ? [] : [placement.role];
    const found = await query<{ what: string }>(
      server.current.superuserUrl('postgres'),
      `select 'role ' || rolname as what from pg_roles where rolname = any ($1)
       union all select 'database ' || datname from pg_database where datname = any ($1)`,
      [own],
    );
    const inside = await query<{ what: string }>(
      server.current.superuserUrl(tier === 'database' ? 'postgres' : placement.database),
      `select 'schema ' || nspname as what from pg_namespace where nspname = any ($1)`,
      [own],
    );
    if (tier === 'database') return [...found, ...inside].map(({ what }) => what);
    const local = await query<{ what: string }>(
      superuser(of),
      `select 'placement' as what from tenantctl.placement where tenant = $1
       union all select 'ledger ' || id from tenantctl.ledger where unit = $2`,
      [tenant.id, driver.facts.sharesUnit ? 'none of its own' : driver.unit(tenant.id, placement).ledgerKey],
    );
    const rows = tier === 'pool' ? await countRows(superuser(of), of) : {};
    const tables = Object.keys(rows).filter((table) => rows[table] !== 0);
    return [...[...found, ...inside, ...local].map(({ what }) => what), ...tables];
  }

  /** Databases that were being made. */
  async function leftovers(): Promise<string[]> {
    const rows = await query<{ datname: string }>(
      server.current.superuserUrl('postgres'),
      `select datname from pg_database where datname like 'tenantctl\\_making\\_%' or datname like 'tenantctl\\_new\\_%'`,
    );
    return rows.map(({ datname }) => datname);
  }
});

function suspended(home: Home): Record<string, unknown> {
  return { tenant: home.tenant.id, state: 'suspended', epoch: home.epoch };
}

/** Objects, rights, ledger, placement and row counts of a home. */
async function homeFingerprint(url: string, home: Home): Promise<unknown> {
  const { schema, role, database } = home.placement;
  const catalog = await query(
    url,
    `select n.oid::int, n.nspacl::text, (select jsonb_agg(to_jsonb(p) order by tenant) from tenantctl.placement p) as placements,
       (select jsonb_agg(to_jsonb(l) order by entry) from tenantctl.ledger l) as ledger,
       (select jsonb_agg(jsonb_build_array(c.oid, c.relname, c.relacl, c.relfilenode, c.relrowsecurity) order by c.oid) from pg_class c where c.relnamespace = n.oid) as classes,
       (select jsonb_agg(to_jsonb(r) order by oid) from pg_roles r where rolname = $2) as roles,
       (select jsonb_agg(jsonb_build_array(oid, datacl, datconnlimit)) from pg_database where datname = $3) as databases
     from pg_namespace n where n.nspname = $1`,
    [schema, role, database],
  );
  return { catalog, rows: await countRows(url, home) };
}
