import { describe, expect, test } from 'vitest';
import { defaultsAtCreation } from '../../../src/engine/ledger/default-at-creation.js';
import { completion } from '../../../src/engine/ledger/target.js';
import { query, useServer } from '../../support/server.js';
import { invoicing } from '../tiers/support.js';
import { migrationsOf } from './directory.js';
import { type TestUnit, useUnits } from './units.js';

const server = useServer();
const units = useUnits(server);

const bySuperuser = (text: string) => query(server.current.superuserUrl('units'), text);

const DEFAULT = "(NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid";

/** The tables of a home that have the tenant column, with its default. */
async function defaultsOf(unit: TestUnit): Promise<Record<string, string | null>> {
  const rows = await unit.rows<{ name: string; default: string | null }>(
    `select c.relname as name, pg_get_expr(d.adbin, d.adrelid) as "default" from pg_class c
       join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and c.relkind in ('r', 'p', 'v', 'm', 'f')
       left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
      where c.relnamespace = $1::regnamespace order by 1`,
    [unit.schema],
  );
  return Object.fromEntries(rows.map(({ name, default: found }) => [name, found]));
}

const CREATE = 'create table first (tenant_id uuid not null, id int not null, primary key (tenant_id, id));';

const WAYS: [string, string[], string[]][] = [
  ['that is renamed by a later file', [CREATE, 'alter table first rename to last'], ['last']],
  ['that is renamed twice', [CREATE, 'alter table first rename to b; alter table b rename to c'], ['c']],
  ['that SELECT INTO makes', [CREATE, 'select * into copy from first'], ['copy', 'first']],
  [
    'that SELECT INTO makes of a union',
    [CREATE, 'select * into copy from first union all select * from first'],
    ['copy', 'first'],
  ],
  ['that CREATE TABLE AS makes', [CREATE, 'create table copy as select * from first'], ['copy', 'first']],
  [
    'that a DO block makes',
    [`do $$ begin execute 'create table "Made Here" (tenant_id uuid, id int)'; end $$`],
    ['Made Here'],
  ],
  [
    'that a function makes',
    [
      `create function make() returns int language plpgsql as $$ begin create table made (tenant_id uuid); return 1; end $$`,
      'select make()',
    ],
    ['made'],
  ],
  [
    'that a procedure makes',
    [
      `create procedure make() language plpgsql as $$ begin create table made (tenant_id uuid); end $$`,
      'call make()',
    ],
    ['made'],
  ],
  [
    'that a statement of data makes on its way',
    [
      `create table note (id int);
       create function make() returns int language plpgsql as $$ begin create table made (tenant_id uuid); return 1; end $$`,
      'insert into note select make()',
    ],
    ['made'],
  ],
  [
    'whose column gets the name later',
    ['create table first (owner uuid, id int)', 'alter table first rename owner to tenant_id'],
    ['first'],
  ],
  [
    'that gets the column later',
    ['create table first (id int)', 'alter table first add column tenant_id uuid'],
    ['first'],
  ],
  [
    'whose default a file takes away',
    [CREATE, 'alter table first alter column tenant_id drop default'],
    ['first'],
  ],
  [
    'that is partitioned, and its parts',
    [
      `create table parted (tenant_id uuid, id int) partition by range (id);
       create table low partition of parted for values from (0) to (10);`,
      'create table high (tenant_id uuid, id int); alter table parted attach partition high for values from (10) to (20)',
    ],
    ['high', 'low', 'parted'],
  ],
  [
    'whose column gets its type later',
    [
      'create table first (tenant_id text not null); alter table first alter column tenant_id type uuid using tenant_id::uuid;',
    ],
    ['first'],
  ],
  [
    'whose column goes by another name before it has this one',
    [
      `${CREATE} alter table first rename column tenant_id to owner; alter table first rename owner to tenant_id;`,
    ],
    ['first'],
  ],
  [
    'that is made like another, with and without its defaults',
    [CREATE, 'create table one (like first including all); create table other (like first)'],
    ['first', 'one', 'other'],
  ],
  [
    'that has its column from another',
    [CREATE, 'create table child (more int) inherits (first)'],
    ['child', 'first'],
  ],
  [
    'that is made of a type',
    ['create type shape as (tenant_id uuid, id int)', 'create table typed of shape'],
    ['typed'],
  ],
  [
    'whose column says more after its type',
    [
      `create table first (tenant_id UUID constraint must not null unique);
       create table second (id int, tenant_id/* of whom */uuid references first (tenant_id) on delete cascade);
       create table "Über" (tenant_id pg_catalog.uuid)`,
    ],
    ['first', 'second', 'Über'],
  ],
];

describe.each(['schema', 'database'] as const)('in a home of the tier %s', (tier) => {
  test.each(WAYS)('a table %s has the default, made at once or step by step', async (_way, texts, names) => {
    const migrations = await migrationsOf(...texts);
    const wanted = Object.fromEntries(names.map((name) => [name, DEFAULT]));
    const [fresh, stepwise] = [await units.newUnit(tier), await units.newUnit(tier)];
    await fresh.fill(migrations);
    expect(await defaultsOf(fresh)).toEqual(wanted);
    for (let count = 1; count <= texts.length; count += 1) await stepwise.migrate(migrations.slice(0, count));
    expect(await defaultsOf(stepwise)).toEqual(wanted);
  });
});

describe('in a new home', () => {
  test.each([
    ['text', 'text', "NULLIF(current_setting('app.tenant_id'::text, true), ''::text)"],
    ['text collate "C"', 'text', `NULLIF(current_setting('app.tenant_id'::text, true), ''::text)`],
    ['bigint', 'bigint', "(NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::bigint"],
    ['INT', 'integer', "(NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::integer"],
    [
      'varchar(40)',
      'varchar',
      "(NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::character varying(40)",
    ],
    [
      'text compression pglz not null',
      'text',
      "NULLIF(current_setting('app.tenant_id'::text, true), ''::text)",
    ],
    ['bigint generated always as identity', 'identity', null],
  ])('a column of type %s has the default of that type', async (type, _kind, expected) => {
    const unit = await units.newUnit();
    await unit.fill(await migrationsOf(`create table first (tenant_id ${type}, id int)`));
    expect(await defaultsOf(unit)).toEqual({ first: expected });
  });

  test('the tables of the sample product have it from the statements that make them', async () => {
    const { target } = await units.newUnit();
    const migrations = await invoicing();
    const { complete, additions } = defaultsAtCreation(migrations, target.tenancy);
    expect([...additions.values()].flat().length).toBeGreaterThan(15);
    expect(completion(target, migrations, complete)).toBeNull();
    expect(completion(target, migrations)).not.toBeNull();
  });

  test('an error behind a default that was written in points to the place in the file', async () => {
    const unit = await units.newUnit();
    const text = `${CREATE}\ncreate table second (tenant_id uuid);\nselect nowhere from first`;
    await expect(unit.fill(await migrationsOf(CREATE.replace('first', 'zero'), text))).rejects.toMatchObject({
      facts: { sqlstate: '42703', line: 3 },
      message: expect.stringContaining('3:8'),
    });
  });

  test('an error without a position, behind such a default, is counted to its statement', async () => {
    const unit = await units.newUnit();
    const text = `${CREATE}\ncreate table second (tenant_id uuid);\nselect 1 / 0`;
    await expect(unit.fill(await migrationsOf(text))).rejects.toMatchObject({
      facts: { sqlstate: '22012', line: 3 },
    });
  });
});

test('a table that a file makes outside a transaction has the default', async () => {
  const unit = await units.newUnit();
  await unit.migrate(
    await migrationsOf(`-- tenantctl: no-transaction\n${CREATE}\nselect * into copy from first`),
  );
  expect(await defaultsOf(unit)).toEqual({ copy: DEFAULT, first: DEFAULT });
});

test('what has a default of its own keeps it, and views and foreign tables get none', async () => {
  const [fresh, stepwise] = [await units.newUnit(), await units.newUnit()];
  await bySuperuser(
    'create foreign data wrapper nowhere; create server nowhere foreign data wrapper nowhere; grant usage on foreign server nowhere to public',
  );
  const own = "'7b0c3b2e-0000-4000-8000-000000000000'::uuid";
  const migrations = await migrationsOf(
    `create table own (tenant_id uuid default ${own}); create table other (id int);`,
    `create view seen as select * from own; create materialized view kept as select * from own;
     create foreign table far (tenant_id uuid) server nowhere;
     alter table own rename to mine; do $$ begin perform 1; end $$`,
  );
  await fresh.fill(migrations);
  for (const count of [1, 2]) await stepwise.migrate(migrations.slice(0, count));
  for (const unit of [fresh, stepwise])
    expect(await defaultsOf(unit)).toEqual({ far: null, kept: null, mine: own, seen: null });
});

test('the tables of other homes are left alone', async () => {
  const [unit, neighbour] = [await units.newUnit(), await units.newUnit()];
  await neighbour.rows(`create table ${neighbour.schema}.theirs (tenant_id uuid)`);
  await unit.migrate(await migrationsOf(CREATE));
  expect(await defaultsOf(unit)).toEqual({ first: DEFAULT });
  expect(await defaultsOf(neighbour)).toEqual({ theirs: null });
});

test("a table of somebody that the administrator cannot act for stands in no migration's way", async () => {
  const unit = await units.newUnit();
  await bySuperuser(`create table ${unit.schema}.theirs (tenant_id uuid)`);
  await unit.migrate(await migrationsOf(CREATE));
  expect(await defaultsOf(unit)).toEqual({ first: DEFAULT, theirs: null });
});

test('in a home that was adopted, only tables that the files name get the default', async () => {
  const unit = await units.newUnit();
  await unit.rows(`create table ${unit.schema}.before (tenant_id uuid)`);
  Object.assign(unit.target, { unit: { ...unit.target.unit, adopted: { owner: null } } });
  await unit.migrate(await migrationsOf(CREATE, 'do $$ begin perform 1; end $$'));
  expect(await defaultsOf(unit)).toEqual({ before: null, first: DEFAULT });
});

describe('the catalog is not asked after a file that makes no table', () => {
  test.each([
    'alter table t add column a int',
    'alter table t alter column tenant_id set not null',
    'alter table t rename a to b',
    'alter table t rename to s',
    'create index on t (lower(a))',
    'create view v as select made_up(a) from t',
    'create function f() returns int language sql begin atomic select made_up(); end',
    'create policy p on t using (made_up())',
    'update t set a = lower(a), b = now(), c = extract(year from d), e = trim(f)',
    "insert into t (a) select gen_random_uuid() from generate_series(1, 3); select setval('t_id_seq', 7)",
    'delete from t where a in (select max(a) from t group by b)',
    "comment on table t is 'select into'; drop table t; grant select on t to public; vacuum t",
  ])('%s', async (text) => {
    const { target } = await units.newUnit();
    expect(completion(target, await migrationsOf(text))).toBeNull();
  });
});
