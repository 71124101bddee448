import { expect, test } from 'vitest';
import type { Tenant } from '../../../src/core/tenant.js';
import { movesShow } from '../../../src/operations/moves/list.js';
import { promote } from '../../../src/operations/moves/promote.js';
import { provisionTenant } from '../../../src/operations/provision.js';
import { routeTenant } from '../../../src/operations/route.js';
import { directoryOf, numbered } from '../../engine/ledger/directory.js';
import { newFleet } from '../../support/fleet.js';
import { query, useServer } from '../../support/server.js';

const server = useServer();

/** A large table and a small one with the same indexes, of which only the plain ones can wait. */
const tableOf = (name: string): string => `
  create function upper_of_${name}(text) returns text language sql immutable as $$ select upper($1) $$;
  create table ${name} (tenant_id uuid not null, id bigint not null, code text not null, word text not null, amount int not null, tags text[] not null,
    
    constraint ${name}_lenient check (coalesce(current_setting('app.lenient', true), '') = 'on' or amount < 1000),
    primary key (tenant_id, id), unique (tenant_id, code), exclude using btree (tenant_id with =, word with =));
  create index ${name}_amount on ${name} (tenant_id, amount desc nulls last) include (word) with (fillfactor = 70);
  create index ${name}_tags on ${name} using gin (tags);
  create unique index ${name}_word on ${name} (tenant_id, word);
  create index ${name}_some on ${name} (tenant_id, amount) where amount > 5;
  create index ${name}_upper on ${name} (tenant_id, upper_of_${name}(word));
  create index ${name}_told on ${name} (tenant_id, amount, id);
  comment on index ${name}_told is 'asked for by reports';
  create index ${name}_clustered on ${name} (tenant_id, id, amount);
  alter table ${name} cluster on ${name}_clustered;
  create index ${name}_counted on ${name} ((amount + 1));
  alter index ${name}_counted alter column 1 set statistics 500;`;

const PLAIN = ['amount', 'tags'];

async function fleetOfIndexes() {
  const made = await newFleet(server.current, {
    migrations: directoryOf(numbered(tableOf('large') + tableOf('small'))),
    seed: null,
  });
  const { tenant } = await provisionTenant(made.fleet, { id: 'acme', tier: 'schema', cluster: 'main' });
  const { key } = await routeTenant(made.fleet, 'acme');
  const fill = (table: string, rows: number): string => `
    insert into "${tenant.schema}".${table} (tenant_id, id, code, word, amount, tags)
    select '${key}', n, 'c' || n, 'w' || n, n % 100, array['t' || n % 7] from generate_series(1, ${rows}) n;`;
  await query(
    server.current.superuserUrl(tenant.database),
    `set tenantctl.scope = 'fleet'; ${fill('large', 12_000)} ${fill('small', 50)}`,
  );
  return { ...made, tenant };
}

interface Index {
  name: string;
  oid: number;
  all: string;
}

/** With whatever can be set on an index. */
function indexesOf({ database, schema }: Tenant): Promise<Index[]> {
  return query(
    server.current.superuserUrl(database),
    `select x.relname as name, x.oid::int, replace(concat_ws(' | ', pg_get_indexdef(x.oid), i.indisvalid, i.indisclustered, obj_description(x.oid, 'pg_class'),
            (select string_agg(a.attname || a.attstattarget, ',') from pg_attribute a where a.attrelid = x.oid and a.attstattarget >= 0)), '${schema}.', '') as all
       from pg_index i join pg_class x on x.oid = i.indexrelid join pg_class t on t.oid = i.indrelid
      where t.relnamespace = '${schema}'::regnamespace and t.relname in ('large', 'small') order by 1`,
  ) as unknown as Promise<Index[]>;
}

/** Those that were made after the constraints and other indexes of the same table, which come with the migrations. */
function madeLate(indexes: readonly Index[], table: string): string[] {
  const ofTable = indexes.filter(({ name }) => name.startsWith(`${table}_`));
  const counted = ofTable.find(({ name }) => name === `${table}_counted`)?.oid ?? Infinity;
  return ofTable.filter(({ oid }) => oid > counted).map(({ name }) => name);
}

test('indexes that only make reading quick are built after the rows of a large table, and all are as they were', async () => {
  const { fleet, tenant } = await fleetOfIndexes();
  const before = await indexesOf(tenant);
  expect(madeLate(before, 'large')).toEqual([]);
  await promote(fleet, { id: 'acme', to: 'database', method: 'online' }, { dryRun: false });
  const route = await routeTenant(fleet, 'acme');
  const after = await indexesOf({ ...tenant, database: route.database, schema: route.schema });
  expect(after.map(({ all }) => all)).toEqual(before.map(({ all }) => all));
  expect(madeLate(after, 'large')).toEqual(PLAIN.map((name) => `large_${name}`));
  expect(madeLate(after, 'small')).toEqual([]);
});

test('a copy that fails in the midst of a large table has taken no index away, and the next one goes through', async () => {
  const { fleet, tenant } = await fleetOfIndexes();
  const admin = server.current.superuserUrl(tenant.database);
  const large = `"${tenant.schema}".large`;
  const before = await indexesOf(tenant);
  await query(
    admin,
    `set app.lenient = 'on'; set tenantctl.scope = 'fleet'; update ${large} set amount = 5000 where id = 11000`,
  );
  const move = { id: 'acme', to: 'database', method: 'online' } as const;
  await expect(promote(fleet, move, { dryRun: false })).rejects.toThrow(/large_lenient/);
  const { to, state } = await movesShow(fleet, 'acme');
  expect(state).toBe('copying');
  const home = { ...tenant, database: to.database, schema: to.schema };
  expect(await indexesOf(home)).toHaveLength(before.length);
  expect(madeLate(await indexesOf(home), 'large')).toEqual([]);
  await query(admin, `set tenantctl.scope = 'fleet'; update ${large} set amount = 5 where id = 11000`);
  await promote(fleet, move, { dryRun: false });
  expect((await indexesOf(home)).map(({ all }) => all)).toEqual(before.map(({ all }) => all));
});
