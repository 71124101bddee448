import { expect, test } from 'vitest';
import type { Tenant } from '../../../src/core/tenant.js';
import { provisionTenant } from '../../../src/operations/provision.js';
import { replaceTenant } from '../../../src/operations/restore/replace.js';
import { directoryOf, failureOf, numbered } from '../../engine/ledger/directory.js';
import { FEW_ROWS, ZOO } from '../../engine/moves/zoo.js';
import { query, useServer } from '../../support/server.js';
import { type RestoringFleet, restoringFleet } from './fleet.js';

const server = useServer();

async function filled(
  given: RestoringFleet,
  id: string,
  tier: Tenant['tier'],
  rows: string,
): Promise<Tenant> {
  const { tenant } = await provisionTenant(given.fleet, { id, tier, cluster: 'main' });
  await query(
    server.current.superuserUrl(tenant.database),
    `begin; set local search_path = "${tenant.schema}", extensions; ${rows.replaceAll('$t', `'${tenant.key}'::uuid`)} commit`,
  );
  return tenant;
}

async function sums(given: RestoringFleet, id: string) {
  const { manifest } = await given.exported(id);
  return Object.fromEntries(manifest.tables.map(({ table, rows, hash }) => [table, `${rows} ${hash}`]));
}

test('circles, cascades, keys of every kind, triggers and partitions come back in every tier', async () => {
  const given = await restoringFleet(server.current, { migrations: directoryOf(numbered(ZOO)) });
  await filled(given, 'acme', 'schema', FEW_ROWS);
  const { directory, manifest } = await given.exported('acme');
  const expected = Object.fromEntries(
    manifest.tables
      .filter(({ table }) => table !== 'booking')
      .map(({ table, rows, hash }) => [table, `${rows} ${hash}`]),
  );
  for (const tier of ['pool', 'schema', 'database'] as const) {
    const { tenant } = await given.restore({ directory, id: `to-${tier}`, tier });
    const { booking, ...others } = await sums(given, tenant.id);
    expect(others).toEqual({ ...expected, ...(tier === 'pool' ? { region: others['region'] } : {}) });
    expect(booking).toMatch(/^4 /);
    // What names its tenant once more names the new one: in a pool it would lead to another tenant's rows.
    const own = await query<{ seat_tenant: string }>(
      server.current.superuserUrl(tenant.database),
      `select distinct seat_tenant from "${tenant.schema}".booking where tenant_id = $1`,
      [tenant.key],
    );
    expect(own).toEqual([{ seat_tenant: tenant.key }]);
    const unproved = await query(
      server.current.superuserUrl(tenant.database),
      `select conname from pg_constraint where not convalidated and connamespace = '"${tenant.schema}"'::regnamespace`,
    );
    expect(unproved).toEqual([]);
    const { backup } = await replaceTenant(given.fleet, { directory, into: tenant.id });
    expect(backup).toBeNull();
  }
});

const THROUGH = `
  create table list (tenant_id uuid not null, id bigint not null, primary key (tenant_id, id));
  create table entry (id uuid primary key, list_tenant uuid not null, list_id bigint not null, word text,
    foreign key (list_tenant, list_id) references list (tenant_id, id));
  create table remark (id uuid primary key, entry_id uuid not null references entry, word text);
  create materialized view words as select word, count(*) as n from entry group by 1;`;

test('rows that belong to a tenant only by what they refer to are replaced with it, and no others', async () => {
  const given = await restoringFleet(server.current, { migrations: directoryOf(numbered(THROUGH)) });
  const rows = (n: number) => `insert into list values ($t, 1), ($t, 2);
    insert into entry select gen_random_uuid(), $t, 1 + n % 2, 'w' || n from generate_series(1, ${n}) n;
    insert into remark select gen_random_uuid(), id, word from entry where list_tenant = $t;`;
  const tenant = await filled(given, 'acme', 'pool', rows(6));
  await filled(given, 'beside', 'pool', rows(4));
  const [before, beside] = [await sums(given, 'acme'), await sums(given, 'beside')];
  const { directory } = await given.exported('acme');
  await query(
    server.current.superuserUrl(tenant.database),
    `delete from app.remark; delete from app.entry where list_tenant = '${tenant.key}'; update app.list set id = id + 10 where tenant_id = '${tenant.key}'`,
  ).catch(() => undefined);
  const remarks = await sums(given, 'beside');
  await replaceTenant(given.fleet, { directory, into: 'acme' });
  expect(await sums(given, 'acme')).toEqual(before);
  expect(await sums(given, 'beside')).toEqual(remarks);
  expect(beside['entry']).toBe(remarks['entry']);
  const { tenant: own } = await given.restore({ directory, id: 'own', tier: 'schema' });
  const words = await query(
    server.current.superuserUrl(own.database),
    `select sum(n)::int as n from "${own.schema}".words`,
  );
  expect(words).toEqual([{ n: 6 }]);
});

test('a fleet without a tenant column has its rows copied straight in, and none that a migration made twice', async () => {
  const given = await restoringFleet(server.current, {
    migrations: directoryOf(
      numbered(
        `create table kind (code text primary key); insert into kind values ('a'), ('b');
         create table thing (id bigint generated always as identity primary key, kind text not null references kind, twice int generated always as (length(kind) * 2) stored);`,
      ),
    ),
  });
  const tenant = await filled(
    given,
    'acme',
    'schema',
    `insert into thing (kind) select 'a' from generate_series(1, 50);`,
  );
  await query(
    server.current.superuserUrl(tenant.database),
    `delete from "${tenant.schema}".kind where code = 'b'`,
  );
  const before = await sums(given, 'acme');
  const { directory } = await given.exported('acme', { gzip: true });
  for (const tier of ['schema', 'database'] as const) {
    const { tenant: made } = await given.restore({ directory, id: `to-${tier}`, tier });
    expect(await sums(given, made.id)).toEqual(before);
    const [next] = await query<{ id: string }>(
      server.current.superuserUrl(made.database),
      `insert into "${made.schema}".thing (kind) values ('a') returning id`,
    );
    expect(Number(next?.id)).toBe(51);
  }
});

test('a pool whose table has another type, or lacks a column, is told from the export by name', async () => {
  const one = await restoringFleet(server.current, {
    migrations: directoryOf(
      numbered(
        'create table t (tenant_id uuid not null, id int not null, v int, gone text, primary key (tenant_id, id));',
      ),
    ),
  });
  const other = await restoringFleet(server.current, {
    migrations: directoryOf(
      numbered(
        'create table t (tenant_id uuid not null, id int not null, v bigint, come text, primary key (tenant_id, id));',
      ),
    ),
  });
  await filled(one, 'acme', 'pool', 'insert into t values ($t, 1, 2);');
  const { directory } = await one.exported('acme');
  await provisionTenant(other.fleet, { id: 'there', tier: 'pool' });
  const failure = await failureOf(other.restore({ directory, tier: 'pool' }));
  expect(failure).toMatchObject({ code: 'EXPORT_UNLIKE_HOME', exit: 6 });
  expect(failure.facts['differences']).toEqual([
    'table t: column v is integer in it and bigint there',
    'table t: column gone is missing there',
    'table t: column come is missing in it',
  ]);
  await failureOf(other.show('acme'));
});
