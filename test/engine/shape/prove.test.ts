import { readFileSync, readdirSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import type { MigrationUnit } from '../../../src/core/unit.js';
import type { ClusterSettings } from '../../../src/core/settings.js';
import { Fleet } from '../../../src/engine/context.js';
import type { Migration } from '../../../src/engine/ledger/migration.js';
import type { Home } from '../../../src/engine/local/placements.js';
import { differenceOf } from '../../../src/engine/shape/difference.js';
import { proveShapes } from '../../../src/engine/shape/prove.js';
import { readShape } from '../../../src/engine/shape/read.js';
import { ShapeReferences } from '../../../src/engine/shape/references.js';
import type { Shape } from '../../../src/engine/shape/shape.js';
import { driverOf } from '../../../src/engine/tiers/registry.js';
import { Connection } from '../../../src/pg/connection.js';
import { ident } from '../../../src/pg/sql.js';
import { INVOICING, newFleet } from '../../support/fleet.js';
import { query, useServer, withClient } from '../../support/server.js';
import { homeFor, invoicing, migrateUnit, migrationsOf, opened } from '../tiers/support.js';

const server = useServer();

const FIRST = 'create table note (tenant_id uuid not null, id int, body text, primary key (tenant_id, id))';
const SECOND = 'alter table note add column due_on date';

const unitOf = ({ tenant, placement }: Home): MigrationUnit =>
  driverOf(placement.tier).unit(tenant.id, placement);

/** What a run hands over: the units, all at the newest of these migrations. */
const batchOf = (homes: readonly Home[], migrations: readonly Migration[]) => {
  const { id, name } = migrations.at(-1) as Migration;
  return homes.map((home) => ({ unit: unitOf(home), version: { id, name } }));
};

const prove = (fleet: Fleet, homes: readonly Home[], migrations: readonly Migration[]) =>
  proveShapes(fleet, batchOf(homes, migrations), new ShapeReferences(fleet, migrations, null));

/** Somebody changes a home behind the tool's back. */
const tamper = (home: Home, text: string): Promise<unknown> =>
  withClient(server.current.superuserUrl(home.placement.database), (client) =>
    client.query(`set search_path = ${ident(home.placement.schema).text()}; ${text}`),
  );

const shapeOf = async (fleet: Fleet, { placement }: Home): Promise<Shape> => {
  const read = (connection: Connection) => readShape(connection, placement.schema);
  return (await fleet.managed(placement.cluster, placement.database, read)) as Shape;
};

async function schemas(...ids: string[]) {
  const { fleet, settings, events } = await newFleet(server.current);
  const migrations = await migrationsOf(FIRST, SECOND);
  const homes: Home[] = [];
  for (const id of ids) homes.push(await opened(fleet, homeFor(settings, 'schema', id), migrations));
  return { fleet, settings, events, migrations, homes: homes as [Home, ...Home[]] };
}

const stored = (url: string) =>
  query<{ source: string; unit: string | null }>(url, 'select source, unit from tenantctl_catalog.shapes');

test.each(['schema', 'database'] as const)(
  'in tier %s a home with tables that no file names looks as its files say, made at once or step by step',
  async (tier) => {
    const { fleet, settings } = await newFleet(server.current);
    const all = await migrationsOf(
      FIRST,
      `alter table note rename to remark; select * into copied from remark;
       do $$ begin execute 'create table made (tenant_id uuid, id int)'; end $$`,
    );
    const fresh = await opened(fleet, homeFor(settings, tier, 'fresh'), all);
    const stepwise = await opened(fleet, homeFor(settings, tier, 'stepwise'), all.slice(0, 1));
    await migrateUnit(fleet, stepwise, all);
    expect(await prove(fleet, [fresh, stepwise], all)).toEqual(new Map());
    expect(await stored(settings.catalogUrl)).toMatchObject([{ source: 'files' }]);
  },
);

test('a look that cannot be kept faults no unit: the next one reads everything again', async () => {
  const { fleet, migrations, homes } = await schemas(...Array.from({ length: 21 }, (_, n) => `kept-${n}`));
  const database = homes[0].placement.database;
  const superuser = server.current.superuserUrl(database);
  await query(superuser, 'alter table tenantctl.look add constraint refuses check (false) not valid');
  expect(await prove(fleet, homes, migrations)).toEqual(new Map());
  expect(await query(superuser, 'select from tenantctl.look')).toHaveLength(0);
  await query(superuser, 'alter table tenantctl.look drop constraint refuses');
  expect(await prove(fleet, homes, migrations)).toEqual(new Map());
  expect(await query(superuser, 'select from tenantctl.look')).toHaveLength(21);
});

test.each(['pool', 'schema', 'database'] as const)(
  'the sample product in tier %s looks as its files say, made at once or step by step',
  async (tier) => {
    const { fleet, settings } = await newFleet(server.current);
    const all = await invoicing();
    const home = await opened(fleet, homeFor(settings, tier, 'acme'), all.slice(0, 6));
    expect(await prove(fleet, [home], all.slice(0, 6))).toEqual(new Map());
    await migrateUnit(fleet, home, all);
    expect(await prove(fleet, [home], all)).toEqual(new Map());
    expect(await stored(settings.catalogUrl)).toEqual([
      { source: 'files', unit: null },
      { source: 'files', unit: null },
    ]);
  },
);

test('the sample product has its shape again after it was rolled back and migrated anew', async () => {
  const { fleet, settings } = await newFleet(server.current);
  const all = await invoicing();
  const home = await opened(fleet, homeFor(settings, 'schema', 'acme'), all);
  const before = await shapeOf(fleet, home);
  const down = readdirSync(`${INVOICING}migrations/down`).sort().toReversed().slice(0, 8);
  await withClient(server.current.adminUrl(home.placement.database), async (client) => {
    await client.query(`set search_path = ${ident(home.placement.schema).text()}`);
    for (const file of down) await client.query(readFileSync(`${INVOICING}migrations/down/${file}`, 'utf8'));
    await client.query('update tenantctl.ledger set rolled_back_at = now() where unit = $1 and id > 6', [
      unitOf(home).ledgerKey,
    ]);
  });
  expect(differenceOf(before, await shapeOf(fleet, home))).not.toEqual([]);
  await migrateUnit(fleet, home, all);
  expect(differenceOf(before, await shapeOf(fleet, home))).toEqual([]);
  expect(await prove(fleet, [home], all)).toEqual(new Map());
});

test('a unit that drifted fails with the difference in words; its neighbours do not', async () => {
  const { fleet, migrations, homes } = await schemas('acme', 'bolt', 'crux');
  await tamper(homes[0], 'alter table note drop column due_on, add column extra text');
  expect(await prove(fleet, homes, migrations)).toEqual(
    new Map([['schema:acme', ['table note lacks column due_on', 'column note.extra is extra']]]),
  );
});

test('the odd one is found even when it comes first and most of the others drifted with it', async () => {
  const { fleet, migrations, homes } = await schemas('acme', 'bolt', 'crux');
  for (const home of homes.slice(0, 2)) await tamper(home, 'create index by_hand on note (body)');
  expect(await prove(fleet, homes, migrations)).toEqual(
    new Map([
      ['schema:acme', ['index by_hand is extra']],
      ['schema:bolt', ['index by_hand is extra']],
    ]),
  );
});

test('where no unit looks like the files, most units decide, aloud, until one looks like the files', async () => {
  const { fleet, settings, events, migrations, homes } = await schemas('acme', 'bolt', 'crux', 'dune');
  const [acme, bolt, crux, dune] = homes as [Home, Home, Home, Home];
  for (const home of [acme, bolt]) await tamper(home, 'create index by_hand on note (body)');
  await tamper(crux, 'alter table note drop column due_on');
  expect(await prove(fleet, [acme, bolt, crux], migrations)).toEqual(
    new Map([['schema:crux', ['index by_hand is missing', 'table note lacks column due_on']]]),
  );
  expect(events.filter(({ type }) => type === 'notice')).toMatchObject([
    { code: 'SHAPE_FROM_UNITS', message: expect.stringContaining('no unit looks as the files say') },
  ]);
  expect(await stored(settings.catalogUrl)).toEqual([{ source: 'units', unit: 'schema:acme' }]);
  expect(await prove(fleet, [bolt, dune], migrations)).toEqual(
    new Map([['schema:bolt', ['index by_hand is extra']]]),
  );
  expect(await stored(settings.catalogUrl)).toEqual([{ source: 'files', unit: null }]);
});

test('where neither files nor a majority can tell, every unit fails', async () => {
  const { fleet, migrations, homes } = await schemas('acme', 'bolt');
  await tamper(homes[0], 'create index by_hand on note (body)');
  const broken = await migrationsOf(
    FIRST,
    `${SECOND}; do $$ begin if current_schema ~ '^tenantctl' then raise exception 'not here'; end if; end $$`,
  );
  const faults = await prove(fleet, homes, broken);
  expect([...faults.keys()]).toEqual(['schema:acme', 'schema:bolt']);
  expect(faults.get('schema:bolt')).toEqual([
    expect.stringContaining('cannot be played on an empty schema: not here'),
  ]);
  expect(migrations).toHaveLength(2);
});

test('a second process agrees without playing the files again', async () => {
  const { fleet, migrations, homes } = await schemas('acme', 'bolt');
  await prove(fleet, homes.slice(0, 1), migrations);
  await tamper(homes[1] as Home, 'create index by_hand on note (body)');
  const messages = vi.spyOn(Connection.prototype, 'message');
  expect(await prove(fleet, homes.slice(1), migrations)).toEqual(
    new Map([['schema:bolt', ['index by_hand is extra']]]),
  );
  expect(messages.mock.calls.filter(([text]) => text.includes('tenantctl_shape_'))).toEqual([]);
  messages.mockRestore();
});

test('playing the files leaves nothing behind', async () => {
  const { fleet, migrations, homes } = await schemas('acme');
  await prove(fleet, homes, migrations);
  const left = await query(
    server.current.adminUrl(homes[0].placement.database),
    `select nspname from pg_namespace where nspname like 'tenantctl\\_shape%'`,
  );
  expect(left).toEqual([]);
});

test('a unit that is gone, or held by somebody, is a fault of its own', async () => {
  const { fleet, migrations, homes } = await schemas('acme', 'bolt', 'crux');
  const [, bolt, crux] = homes as [Home, Home, Home];
  await tamper(bolt, `drop schema ${ident(bolt.placement.schema).text()} cascade`);
  await withClient(server.current.superuserUrl(crux.placement.database), async (rival) => {
    await rival.query(
      `begin; lock table ${ident(crux.placement.schema, 'note').text()} in access exclusive mode`,
    );
    const faults = await prove(fleet, homes, migrations);
    expect([...faults.keys()].sort()).toEqual(['schema:bolt', 'schema:crux']);
    expect(faults.get('schema:bolt')).toEqual([`schema ${bolt.placement.schema} is not there`]);
    expect(faults.get('schema:crux')).toEqual([expect.stringContaining('its shape could not be read')]);
  });
});

test('a server that is away says nothing about its units', async () => {
  const { fleet, settings, migrations, homes } = await schemas('acme');
  const { main } = settings.clusters;
  const url = new URL(main?.url ?? '');
  url.port = '1';
  const away = new Fleet(
    { ...settings, clusters: { main: { ...main, url: url.href } as ClusterSettings } },
    fleet.options,
  );
  await expect(prove(away, homes, migrations)).rejects.toMatchObject({ code: 'CANNOT_CONNECT', exit: 4 });
  await away.close();
});

test('pools and schemas at one version have references of their own, and a pool is compared with its policies', async () => {
  const { fleet, settings, migrations, homes } = await schemas('acme');
  const pool = await opened(fleet, homeFor(settings, 'pool', 'pooled'), migrations);
  expect(await prove(fleet, [...homes, pool], migrations)).toEqual(new Map());
  expect(await stored(settings.catalogUrl)).toHaveLength(2);
  await tamper(pool, 'drop policy tenantctl_tenant on note');
  const [fault] = (await prove(fleet, [pool], migrations)).values();
  expect(fault).toEqual(['policy tenantctl_tenant of note is missing']);
});
