import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { TIERS } from '../../src/core/tier.js';
import type { Fleet } from '../../src/engine/context.js';
import type { Migration } from '../../src/engine/ledger/migration.js';
import type { Home } from '../../src/engine/local/placements.js';
import { driverOf } from '../../src/engine/tiers/registry.js';
import { raw, sql } from '../../src/pg/sql.js';
import {
  type Application,
  TENANT_TABLES,
  countRows,
  failure,
  homeFor,
  invoicing,
  newApplication,
  refusal,
  seeded,
} from '../engine/tiers/support.js';
import { nothingLeft } from './support.js';
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
    expect(await driver.inspect(fleet, made)).toEqual(nothingLeft(tier));
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
      await driver.fence(fleet, bolt, 'suspended');
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
      await driver.fence(fleet, bolt, 'active');
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
      await driver.fence(fleet, acme, 'suspended');
      const outcome = await client.query('select from customer').then(
        () => 'served',
        (error: { code?: string; message: string }) => error.code ?? error.message,
      );
      expect([...REFUSED_INSIDE, '57P01', 'Connection terminated unexpectedly']).toContain(outcome);
    });
    await driver.fence(fleet, acme, 'active');
  });
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
