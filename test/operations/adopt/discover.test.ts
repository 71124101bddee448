import { beforeAll, describe, expect, it } from 'vitest';
import type { Fleet } from '../../../src/engine/context.js';
import { type DiscoverOptions, discover } from '../../../src/operations/adopt/discover.js';
import { provision } from '../../../src/operations/provision.js';
import { newFleet } from '../../support/fleet.js';
import { query, useServer, withClient } from '../../support/server.js';

const server = useServer();
const admin = (database: string) => server.current.adminUrl(database);
const NOTHING: DiscoverOptions = { schemas: null, databases: null, sql: null };
const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;

/** Runs statements in a database as its administrator, who is no superuser. */
async function run(database: string, ...statements: string[]): Promise<void> {
  await withClient(admin(database), async (client) => {
    for (const statement of statements) await client.query(statement);
  });
}

/** A fleet whose one database for pools and schemas is there, as another hand has made it. */
async function existingFleet(...statements: string[]) {
  const { fleet, settings } = await newFleet(server.current);
  const database = settings.clusters['main']?.schemaDatabase ?? '';
  await run('postgres', `create database ${quoted(database)}`);
  await run(database, ...statements);
  return { fleet, settings, database };
}

const schemasOf = async (fleet: Fleet, options: Partial<DiscoverOptions>) =>
  (await discover(fleet, { ...NOTHING, ...options })).units.map(({ id, schema }) => [id, schema]);

describe('schemas', () => {
  const HOSTILE = [
    'tenant_Acme',
    'tenant_a.b',
    'tenant_say "hi"',
    "tenant_o'neil",
    'tenant_grün',
    'tenant_北京',
    'tenant_7b0c1a5e-4a1c-4a53-9d5b-2f6f3c1d9e01',
    'tenant_42',
    'tenant_back\\slash',
    'tenant_ spaces ',
    'tenant_line\nbreak',
    'tenant_%',
    'tenantXother',
  ];

  it('keep their names, and give ids by the part that % stands for', async () => {
    const { fleet } = await existingFleet(...HOSTILE.map((name) => `create schema ${quoted(name)}`));
    const found = await schemasOf(fleet, { schemas: 'tenant\\_%' });
    const bySchema = new Map(found.map(([id, schema]) => [schema, id]));
    expect([...bySchema.keys()].toSorted()).toEqual(
      HOSTILE.filter((name) => name.startsWith('tenant_')).toSorted(),
    );
    expect(bySchema.get('tenant_Acme')).toBe('acme');
    expect(bySchema.get('tenant_a.b')).toBe('a-b');
    expect(bySchema.get('tenant_say "hi"')).toBe('say--hi-');
    expect(bySchema.get("tenant_o'neil")).toBe('o-neil');
    expect(bySchema.get('tenant_grün')).toBe('gr-n');
    expect(bySchema.get('tenant_7b0c1a5e-4a1c-4a53-9d5b-2f6f3c1d9e01')).toBe(
      '7b0c1a5e-4a1c-4a53-9d5b-2f6f3c1d9e01',
    );
    expect(bySchema.get('tenant_42')).toBe('42');
    expect(bySchema.get('tenant_北京')).toMatch(/^[0-9a-f]{8}$/);
    expect(bySchema.get('tenant_%')).toMatch(/^[0-9a-f]{8}$/);
    expect(new Set(bySchema.values()).size).toBe(bySchema.size);
  });

  it('are those of tenants only: not of PostgreSQL, of this tool, of pools, of extensions, nor public', async () => {
    const { fleet, settings } = await existingFleet(
      'create schema app',
      'create schema extensions',
      'create schema acme',
    );
    await provision(fleet, { id: 'ours', plan: 'pro' }, { dryRun: false });
    expect(settings.tenancy.extensionsSchema).toBe('extensions');
    expect(await schemasOf(fleet, { schemas: '%' })).toEqual([['acme', 'acme']]);
  });

  it('are looked for in the databases of a pattern where one is given', async () => {
    const { fleet } = await existingFleet('create schema tenant_here');
    for (const [name, schema] of [
      ['region_a', 'tenant_acme'],
      ['region_b', 'tenant_acme'],
      ['elsewhere', 'tenant_beta'],
    ] as const) {
      await run('postgres', `create database ${name}`);
      await run(name, `create schema ${schema}`);
    }
    const { units } = await discover(fleet, { ...NOTHING, schemas: 'tenant_%', databases: 'region_%' });
    expect(units.map(({ tier, database, schema }) => [tier, database, schema])).toEqual([
      ['schema', 'region_a', 'tenant_acme'],
      ['schema', 'region_b', 'tenant_acme'],
    ]);
    const ids = units.map(({ id }) => id);
    expect(new Set(ids).size).toBe(2);
    for (const id of ids) expect(id).toMatch(/^acme-[0-9a-f]{8}$/);
  });

  it('that were there when one of the same id was taken in get another one', async () => {
    const { fleet } = await existingFleet('create schema tenant_acme');
    await provision(fleet, { id: 'acme', plan: 'free' }, { dryRun: false });
    const found = await schemasOf(fleet, { schemas: 'tenant_%' });
    expect(found).toEqual([[expect.stringMatching(/^acme-[0-9a-f]{8}$/), 'tenant_acme']]);
  });
});

describe('databases', () => {
  beforeAll(async () => {
    for (const name of ['crm_Acme.Corp', 'crm_beta', 'crm_empty', 'crm_closed', 'crm_mould', 'crm_dotted'])
      await run('postgres', `create database ${quoted(name)}`);
    await run('crm_Acme.Corp', 'create table a (id int)', 'create table b (id int)');
    await run(
      'crm_beta',
      'create schema "Sales"',
      'create table "Sales".a (id int)',
      'create table "Sales".b (id int)',
      'create table c (id int)',
    );
    await run(
      'postgres',
      `alter database crm_closed allow_connections false`,
      `alter database crm_mould is_template true`,
    );
  });

  it('are each one tenant, in the schema with the most tables', async () => {
    const { fleet } = await existingFleet();
    const { units, problems } = await discover(fleet, { ...NOTHING, databases: 'crm\\_%' });
    expect(units.map(({ id, tier, database, schema }) => [id, tier, database, schema])).toEqual([
      ['acme-corp', 'database', 'crm_Acme.Corp', 'public'],
      ['beta', 'database', 'crm_beta', 'Sales'],
      ['dotted', 'database', 'crm_dotted', 'public'],
      ['empty', 'database', 'crm_empty', 'public'],
    ]);
    expect(problems).toEqual([
      {
        cluster: 'main',
        database: 'crm_closed',
        message: expect.stringContaining('not currently accepting connections') as string,
      },
    ]);
  });

  it('whose ledger is apart from the tables name it', async () => {
    const { fleet } = await existingFleet();
    await run('postgres', 'create database ledger_apart');
    await run(
      'ledger_apart',
      'create schema shop',
      'create table shop.a (id int)',
      'create schema "my.books"',
      'create table "my.books".schema_migrations (version varchar primary key)',
    );
    const { units } = await discover(fleet, { ...NOTHING, databases: 'ledger_apart' });
    expect(units).toMatchObject([
      { id: 'ledger_apart', schema: 'shop', ledger: 'my.books.schema_migrations' },
    ]);
  });

  it('are not those of the configuration, of a catalog, or made by this tool', async () => {
    const { fleet, settings, database } = await existingFleet('create table t (id int)');
    await provision(fleet, { id: 'ours', plan: 'enterprise' }, { dryRun: false });
    const { units } = await discover(fleet, { ...NOTHING, databases: '%' });
    const names = units.map((unit) => unit.database);
    expect(names).toContain('crm_beta');
    expect(names).not.toContain(database);
    expect(names).not.toContain('postgres');
    expect(names.filter((name) => name.startsWith('catalog_') || name.startsWith('tenantctl_'))).toEqual([]);
    expect(names).not.toContain(settings.tenancy.names.database.replace('{id}', 'ours'));
  });
});

it('without any pattern names count that are like those this tool would give', async () => {
  const { fleet, settings } = await existingFleet();
  const { names } = settings.tenancy;
  const [schema, database] = [names.schema.replace('{id}', 'acme'), names.database.replace('{id}', 'beta')];
  await run(
    settings.clusters['main']?.schemaDatabase ?? '',
    `create schema ${schema}`,
    'create schema other',
  );
  await run('postgres', `create database ${database}`);
  const { units } = await discover(fleet, NOTHING);
  expect(units.map(({ id, tier }) => [id, tier])).toEqual([
    ['acme', 'schema'],
    ['beta', 'database'],
  ]);
});

describe('pools', () => {
  const KEYS = [1, 2, 3].map((n) => `00000000-0000-4000-8000-00000000000${n}`);

  it('give each key of all their tables once, without those that this tool has put there', async () => {
    const { fleet, database } = await existingFleet(
      'create schema app',
      'create table app.a (tenant_id uuid, n int)',
      'create table app."B b" (tenant_id uuid not null, n int) partition by list (tenant_id)',
      'create table app.b_rest partition of app."B b" default',
      'create table app.plain (n int)',
      `insert into app.a values ('${KEYS[1]}', 1), ('${KEYS[0]}', 2), ('${KEYS[0]}', 3), (null, 4)`,
      `insert into app."B b" values ('${KEYS[2]}', 1), ('${KEYS[0]}', 1)`,
    );
    const { units, problems } = await discover(fleet, NOTHING);
    expect(problems).toEqual([]);
    expect(units.map(({ id, key, tier, schema }) => ({ id, key, tier, schema, database }))).toEqual(
      KEYS.map((key) => ({ id: key, key, tier: 'pool', schema: 'app', database })),
    );
  });

  it('of this tool give nothing', async () => {
    const { fleet } = await newFleet(server.current);
    await provision(fleet, { id: 'acme', plan: 'free' }, { dryRun: false });
    expect(await discover(fleet, NOTHING)).toEqual({ units: [], problems: [] });
  });

  it('are read key by key through an index where they are large', async () => {
    const { fleet, database } = await existingFleet(
      'create schema app',
      'create table app.big (tenant_id uuid not null, n int)',
      `insert into app.big select ('00000000-0000-4000-8000-00000000000' || n % 3 + 1)::uuid, n from generate_series(1, 60000) n`,
      'create index on app.big (tenant_id)',
      'analyze app.big',
    );
    const scans = `select idx_tup_read::int as read from pg_stat_user_indexes where relname = 'big'`;
    const { units } = await discover(fleet, NOTHING);
    expect(units.map(({ key }) => key)).toEqual(KEYS);
    await fleet.close();
    await expect
      .poll(async () => (await query<{ read: number }>(admin(database), scans))[0]?.read)
      .toBeGreaterThan(0);
    expect((await query<{ read: number }>(admin(database), scans))[0]?.read).toBeLessThan(100);
  });

  it('with rows that policies hide are a problem, never a shorter list', async () => {
    const { fleet } = await existingFleet(
      'create schema app',
      'create table app.a (tenant_id uuid)',
      `insert into app.a values ('${KEYS[0]}')`,
      'alter table app.a enable row level security',
      'alter table app.a force row level security',
      'create table app.b (tenant_id uuid)',
      `insert into app.b values ('${KEYS[1]}')`,
    );
    const { units, problems } = await discover(fleet, NOTHING);
    expect(units.map(({ key }) => key)).toEqual([KEYS[1]]);
    expect(problems).toEqual([
      expect.objectContaining({ message: expect.stringContaining('app.a') as string }),
    ]);
  });

  it('whose keys are of another type than the configuration says are a problem', async () => {
    const { fleet } = await existingFleet(
      'create schema app',
      'create table app.a (tenant_id int)',
      'insert into app.a values (1), (2)',
    );
    const { units, problems } = await discover(fleet, NOTHING);
    expect(units).toEqual([]);
    expect(problems).toEqual([
      expect.objectContaining({ message: expect.stringContaining('tenancy.columnType') as string }),
    ]);
  });
});

describe('a query', () => {
  const KEY = '00000000-0000-4000-8000-00000000000a';
  const TENANTS = [
    'create schema app',
    'create table app.notes (tenant_id uuid)',
    `insert into app.notes values ('${KEY}')`,
    'create table public.tenants (slug text, id uuid, plan text, ring text, big bigint)',
    `insert into public.tenants values ('Acme Inc', '${KEY}', 'free', 'canary', 9007199254740993), ('beta', gen_random_uuid(), null, null, 1)`,
  ];

  it('names the tenants of a pool, once each', async () => {
    const { fleet, database } = await existingFleet(...TENANTS);
    const sql = `select slug as id, id as "tenantKey", plan, ring as "label.ring", json_build_object('no', big) as labels from tenants order by slug;`;
    const { units } = await discover(fleet, { ...NOTHING, sql });
    expect(units).toMatchObject([
      {
        id: 'acme-inc',
        tier: 'pool',
        database,
        schema: 'app',
        key: KEY,
        plan: 'free',
        labels: { ring: 'canary', no: '9007199254740993' },
      },
      { id: 'beta', tier: 'pool', plan: null, labels: { no: '1' } },
    ]);
  });

  it('names schemas and databases by their columns', async () => {
    const { fleet, database } = await existingFleet(...TENANTS, 'create schema "Acme"');
    const sql = `select 'a' as id, 'Acme' as schema, null as database union all select 'b', null, 'crm_beta'`;
    const { units } = await discover(fleet, { ...NOTHING, schemas: 'A%', databases: null, sql });
    expect(units.filter(({ tier }) => tier !== 'pool')).toMatchObject([
      { id: 'a', tier: 'schema', database, schema: 'Acme' },
      { id: 'b', tier: 'database', database: 'crm_beta' },
    ]);
  });

  it('changes nothing, and is refused with the reason where it cannot be', async () => {
    const { fleet, database } = await existingFleet(...TENANTS, 'create sequence s');
    for (const [sql, reason] of [
      [`insert into tenants (slug) values ('x') returning slug as id`, 'syntax error'],
      ['select 1 as id; drop table tenants', 'syntax error'],
      [`select slug as id from (select nextval('s') as slug) x`, 'read-only'],
      [`with gone as (delete from tenants returning slug) select slug as id from gone`, 'data-modifying'],
      ['select slug as colour from tenants', '"colour"'],
      ['select slug as id from nowhere', 'no database'],
    ] as const)
      await expect(discover(fleet, { ...NOTHING, sql }), sql).rejects.toMatchObject({
        code: 'DISCOVER_SQL',
        exit: 2,
        message: expect.stringContaining(reason) as string,
      });
    const [rows] = await query<{ n: number }>(admin(database), 'select count(*)::int as n from tenants');
    expect(rows?.n).toBe(2);
  });

  it('goes before what names say, and leaves to looking which schema a database uses', async () => {
    const { fleet } = await existingFleet('create schema tenant_7');
    await run('postgres', 'create database own_8');
    await run('own_8', 'create schema sales', 'create table sales.a (id int)');
    const sql = `select 'acme' as id, 'tenant_7' as schema, null as database union all select 'beta', null, 'own_8'`;
    const schemas = await discover(fleet, { ...NOTHING, schemas: 'tenant_%', sql });
    expect(schemas.units.map(({ id, schema }) => [id, schema])).toEqual([
      ['acme', 'tenant_7'],
      ['beta', 'public'],
    ]);
    const databases = await discover(fleet, { ...NOTHING, databases: 'own_%', sql });
    expect(databases.units.map(({ id, schema }) => [id, schema])).toEqual([
      ['beta', 'sales'],
      ['acme', 'tenant_7'],
    ]);
  });

  it('whose rows cannot be names them and keeps the others', async () => {
    const { fleet } = await existingFleet(...TENANTS);
    const sql = `select slug as id, id as "tenantKey", case slug when 'beta' then 'gold' end as plan from tenants order by slug`;
    const { units, problems } = await discover(fleet, { ...NOTHING, sql });
    expect(units.map(({ id }) => id)).toEqual(['acme-inc']);
    expect(problems).toEqual([
      expect.objectContaining({ message: 'row 2 of --sql: the configuration has no plan "gold"' }),
    ]);
  });
});

it('a cluster that does not answer is a problem, and the others are listed; with none that answers it ends', async () => {
  const { settings, fleet } = await existingFleet('create schema tenant_acme');
  const { main } = settings.clusters as { main: (typeof settings.clusters)[string] };
  const dead = { ...main, name: 'dead', url: 'postgres://nobody@127.0.0.1:1/postgres' };
  settings.clusters['dead'] = dead;
  const { units, problems } = await discover(fleet, { ...NOTHING, schemas: 'tenant_%' });
  expect(units.map(({ id, cluster }) => [id, cluster])).toEqual([['acme', 'main']]);
  expect(problems).toEqual([
    { cluster: 'dead', database: null, message: expect.stringContaining('Cannot connect') as string },
  ]);
  settings.clusters = { dead };
  await expect(discover(fleet, { ...NOTHING, schemas: 'tenant_%' })).rejects.toMatchObject({
    code: 'CANNOT_CONNECT',
    exit: 4,
  });
});

it('nothing is installed or written by looking', async () => {
  const { fleet, database } = await existingFleet(
    'create schema app',
    'create schema tenant_a',
    'create table app.t (tenant_id uuid)',
  );
  await discover(fleet, { schemas: 'tenant_%', databases: null, sql: null });
  const [row] = await query<{ there: boolean }>(
    admin(database),
    `select to_regnamespace('tenantctl') is not null as there`,
  );
  expect(row?.there).toBe(false);
});

it.each(['tenant\\', 'a\\\\\\'])(
  'a pattern that the server would refuse is a usage error: %s',
  async (schemas) => {
    const { fleet } = await newFleet(server.current);
    await expect(discover(fleet, { ...NOTHING, schemas })).rejects.toMatchObject({
      code: 'DISCOVER_PATTERN',
      exit: 2,
    });
  },
);
