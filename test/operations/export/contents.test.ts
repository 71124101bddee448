import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { TIERS } from '../../../src/core/tier.js';
import { directoryOf, failureOf, numbered } from '../../engine/ledger/directory.js';
import { query, useServer } from '../../support/server.js';
import { exportingFleet } from './fleet.js';
import { loadExport, manifestOf } from './load.js';

const server = useServer();

/** Every file of an export, as one text. */
function everyFile(directory: string): string {
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' }).map((name) =>
    join(directory, name),
  );
  return files
    .filter((file) => statSync(file).isFile())
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n');
}

describe('out of a pool', () => {
  it('come the rows of the tenant alone, with the shared rows that they refer to, and what these refer to', async () => {
    const fleet = await exportingFleet(server.current);
    const neighbour = await fleet.tenant('neighbour', 'pool');
    await fleet.tenant('acme', 'pool');
    const { directory, manifest } = await fleet.export('acme');
    expect(everyFile(directory)).not.toContain(neighbour.key);
    const { sums, url } = await loadExport(server.current, directory);
    expect(sums['customer']?.rows).toBe(3);
    expect(sums['remark']?.rows).toBe(3);
    const shared = await query(url, 'select id, parent, region from loaded.category order by id');
    expect(shared).toEqual([
      { id: 1, parent: null, region: 'xx' },
      { id: 2, parent: 1, region: null },
      { id: 3, parent: 2, region: null },
    ]);
    expect(await query(url, 'select code from loaded.region order by 1')).toEqual([
      { code: 'eu' },
      { code: 'xx' },
    ]);
    expect(
      manifest.tables
        .filter(({ kind }) => kind === 'reference')
        .map(({ table }) => table)
        .toSorted(),
    ).toEqual(['category', 'region']);
    expect(manifest.leftOut).toEqual([
      { table: 'unused', reason: 'shared by all tenants, and no table of the tenant refers to it' },
      { table: 'customer_count', reason: 'a materialized view: made again from the tables' },
    ]);
  });

  it('its sequences say how far its own rows have come, not how much others have', async () => {
    const fleet = await exportingFleet(server.current);
    await fleet.tenant('acme', 'pool');
    await fleet.tenant('later', 'pool');
    const { manifest } = await fleet.export('acme');
    expect(manifest.sequences).toEqual([
      { name: 'customer_id_seq', value: '3' },
      { name: 'orders_id_seq', value: '3' },
      { name: 'ticket_number', value: '120' },
    ]);
  });

  it("rows of a table that may be anybody's stop the export, which names the remedy and leaves nothing", async () => {
    const fleet = await exportingFleet(server.current, {
      migrations: directoryOf(
        numbered(
          `create table customer (tenant_id uuid not null, id int primary key);
           create table hint (id int primary key, customer_id int references customer (id));`,
        ),
      ),
    });
    await fleet.tenant('acme', 'pool', 'insert into customer values ($t, 1); insert into hint values (1, 1)');
    const failure = await failureOf(fleet.export('acme'));
    expect([failure.code, failure.exit]).toEqual(['EXPORT_UNCLASSIFIED', 6]);
    expect(failure.message).toMatch(/hint: it refers to customer.*\n.*remedy: /);
  });
});

describe.each(TIERS)('an export out of tier %s', (tier) => {
  it('says of each table what its file holds and what it does not, referenced tables first', async () => {
    const fleet = await exportingFleet(server.current);
    const acme = await fleet.tenant('acme', tier);
    const { manifest, directory, rows, bytes, files } = await fleet.export('acme');
    expect(manifestOf(directory)).toEqual(manifest);
    expect(manifest).toMatchObject({
      format: 1,
      tenant: { id: 'acme', key: acme.key },
      home: { tier, schema: acme.schema, database: acme.database, epoch: 1 },
      migration: { id: 3, name: '0003_step' },
      data: { format: 'csv', compression: null },
      settings: { TimeZone: 'UTC', extra_float_digits: '1', bytea_output: 'hex' },
      circles: [['customer', 'orders']],
      largeObjects: 'none',
    });
    const names = manifest.tables.map(({ table }) => table);
    expect(names.indexOf('region')).toBeLessThan(names.indexOf('category'));
    expect(names.indexOf('category')).toBeLessThan(names.indexOf('customer'));
    expect(names.indexOf('customer')).toBeLessThan(names.indexOf('remark'));
    const customer = manifest.tables.find(({ table }) => table === 'customer');
    expect(customer).toMatchObject({
      kind: 'tenant',
      rows: 3,
      key: ['id'],
      leftOutColumns: [
        { name: 'tenant_id', reason: 'tenant key' },
        { name: 'loud', reason: 'generated' },
      ],
    });
    expect(customer?.columns.map(({ name }) => name)).toEqual(
      'id email name category note best_order ticket lives mood'.split(' '),
    );
    expect(rows).toBe(manifest.tables.reduce((sum, table) => sum + table.rows, 0));
    expect(files).toBe(manifest.tables.length + 3);
    expect(bytes).toBeGreaterThan(manifest.tables.reduce((sum, table) => sum + table.bytes, 0));
  });

  it('gives every table a file of its own, whatever it is called, readable by its owner alone', async () => {
    const fleet = await exportingFleet(server.current);
    await fleet.tenant('acme', tier);
    const { manifest, directory } = await fleet.export('acme');
    const files = manifest.tables.map(({ file }) => file);
    expect(new Set(files.map((file) => file.toLowerCase())).size).toBe(files.length);
    for (const file of files) expect(file).toMatch(/^data\/tables\/\d{3}_[\w-]+\.csv$/);
    const all = readdirSync(directory, { recursive: true, encoding: 'utf8' });
    for (const name of all) {
      const found = statSync(join(directory, name));
      expect(found.mode & 0o777, name).toBe(found.isFile() ? 0o600 : 0o700);
    }
    expect(statSync(directory).mode & 0o777).toBe(0o700);
  });

  it('is loaded into tables that go on: keys, defaults, numbers, triggers and views are there', async () => {
    const fleet = await exportingFleet(server.current);
    const acme = await fleet.tenant('acme', tier);
    const { url } = await loadExport(server.current, (await fleet.export('acme')).directory);
    const [row] = await query(
      url,
      `insert into loaded.customer (email, name) values ('new@example.com', 'New') returning id, tenant_id, ticket, note, loud`,
    );
    expect(row).toEqual({ id: '4', tenant_id: acme.key, ticket: 130, note: 'touched', loud: 'NEW' });
    await expect(query(url, `insert into loaded.orders (customer_id) values (99)`)).rejects.toMatchObject({
      code: '23503',
    });
    expect(await query(url, 'select name from loaded.glad_customer order by id')).toHaveLength(2);
    expect(await query(url, 'select n::int from loaded.customer_count')).toEqual([{ n: 3 }]);
    expect(await query(url, 'select count(*)::int as n from loaded.event_old')).toEqual([{ n: 1 }]);
    const policies = await query(url, `select from pg_policies where schemaname = 'loaded'`);
    expect(policies).toEqual([]);
  });
});

it('a home of its own that holds rows of others keeps the column that tells them apart', async () => {
  const fleet = await exportingFleet(server.current);
  const acme = await fleet.tenant('acme', 'schema');
  await fleet.inHome(acme, `insert into "a b" values (gen_random_uuid(), 5)`);
  const { manifest } = await fleet.export('acme');
  const kept = manifest.tables.filter(({ columns }) => columns.some(({ name }) => name === 'tenant_id'));
  expect(kept.map(({ table }) => table).toSorted()).toEqual(['a b', 'no_column']);
});

it('large objects and foreign tables are said not to be in it', async () => {
  const fleet = await exportingFleet(server.current, {
    migrations: directoryOf(
      numbered('create table photo (tenant_id uuid not null, id int primary key, content oid);'),
    ),
  });
  const acme = await fleet.tenant('acme', 'database', 'insert into photo values ($t, 1, lo_create(0))');
  await fleet.inHome(
    acme,
    'create extension postgres_fdw; create server far foreign data wrapper postgres_fdw; create foreign table elsewhere (id int) server far',
  );
  const { manifest, directory } = await fleet.export('acme');
  expect(manifest.largeObjects).toBe('not exported');
  expect(manifest.leftOut).toEqual([
    { table: 'elsewhere', reason: 'a foreign table: its rows are on another server' },
  ]);
  expect(readFileSync(join(directory, 'data/schema/pre-data.sql'), 'utf8')).toContain(
    '-- Not in this file: foreign table elsewhere',
  );
});

it('a table whose rows row-level security hides from the administrator is not exported as empty', async () => {
  const fleet = await exportingFleet(server.current);
  const acme = await fleet.tenant('acme', 'schema');
  await fleet.inHome(
    acme,
    `alter table orders enable row level security; alter table orders force row level security`,
  );
  const failure = await failureOf(fleet.export('acme'));
  expect([failure.code, failure.exit]).toEqual(['EXPORT_ROWS_HIDDEN', 6]);
  expect(failure.hint).toContain('no force row level security');
});

it('a table that others inherit from gives each row once', async () => {
  const fleet = await exportingFleet(server.current, {
    migrations: directoryOf(
      numbered(
        'create table animal (tenant_id uuid not null, id int, name text); create table dog (race text) inherits (animal);',
      ),
    ),
  });
  await fleet.tenant(
    'acme',
    'schema',
    `insert into animal values ($t, 1, 'Cat'); insert into dog values ($t, 2, 'Rex', 'Pug')`,
  );
  const { directory, manifest } = await fleet.export('acme');
  expect(manifest.tables.map(({ table, rows }) => [table, rows]).toSorted()).toEqual([
    ['animal', 1],
    ['dog', 1],
  ]);
  const { url } = await loadExport(server.current, directory);
  expect(await query(url, 'select id from loaded.animal order by id')).toEqual([{ id: 1 }, { id: 2 }]);
});
