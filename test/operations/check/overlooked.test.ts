import { expect, it } from 'vitest';
import { checkIsolation } from '../../../src/operations/check/isolation.js';
import { query, useServer } from '../../support/server.js';
import { fleetWith } from './probing.js';

const server = useServer();

const NOTE = `create table note (tenant_id uuid not null, id bigint not null, body text, primary key (tenant_id, id));`;

async function checked(sql: string, product = NOTE) {
  const fleet = await fleetWith(server.current, product);
  await fleet.force(sql.replaceAll('this_database', fleet.database));
  const { findings, coverage } = await checkIsolation(fleet.another());
  const found = findings
    .filter(({ level }) => level === 'error')
    .map(({ rule, where }) => `${rule} ${where.replace(/^main(?:\/[^.]+\.|: )/, '')}`);
  return { fleet, findings, coverage, found };
}

it('a table of tenants in a schema of nobody is found open, and is told as not probed', async () => {
  const { findings, coverage, found, fleet } = await checked(
    `create schema archive; grant usage on schema archive to app_user;
     create table archive.note (tenant_id uuid, body text); grant select (body) on archive.note to app_user;
     create table archive.kept (tenant_id uuid, body text);`,
  );
  expect(found).toEqual(['rls-off archive.note']);
  expect(coverage.notProbed).toMatchObject([{ where: expect.stringMatching(/\.archive\.note$/) }]);
  await fleet.force((findings[0]?.facts.sql ?? []).join(';'));
  expect((await checkIsolation(fleet.another())).findings).toEqual([]);
});

it('a partition that is kept in another schema is found open', async () => {
  const { found } = await checked(
    `create schema parts; grant usage on schema parts to app_user;
     create table parts.ev_1 partition of ev for values from ('2026-01-01') to ('2027-01-01'); grant select on parts.ev_1 to app_user;`,
    'create table ev (tenant_id uuid not null, at date not null, primary key (tenant_id, at)) partition by range (at);',
  );
  expect(found).toEqual(['rls-off parts.ev_1']);
});

it('a policy for a role that the application assumes by SET ROLE is found, whatever guards its own role', async () => {
  const fleet = await fleetWith(server.current, NOTE);
  await fleet.force(
    `create role support; grant usage on schema app to support; grant select on note to support;
     grant support to app_user; alter role app_user noinherit;
     create policy support on note for select to support using (true);`,
  );
  await fleet.change(
    `select tenantctl.secure_pool('app', 'tenant_id', 'app.tenant_id', 'app_user', 'enforce', '{}')`,
  );
  const { findings } = await checkIsolation(fleet.another());
  expect(findings).toMatchObject([{ rule: 'policy-always-true', facts: { policy: 'support' } }]);
  await fleet.force(findings[0]?.facts.sql?.join(';') ?? '');
  expect((await checkIsolation(fleet.another())).findings).toEqual([]);
});

it('a role of the application that begins with a tenant is found; an empty value in the whole database is none', async () => {
  const { found, fleet, findings } = await checked(
    `create role web login in role app_user; alter role web set app.tenant_id = '00000000-0000-0000-0000-000000000001';
     alter database this_database set app.tenant_id = '';`,
  );
  expect(found).toEqual(['default-tenant app.tenant_id of role web']);
  await query(server.current.superuserUrl('postgres'), findings[0]?.facts.sql?.join(';') ?? '');
  const after = await checkIsolation(fleet.another());
  expect(after.findings).toEqual([]);
  expect(after.coverage.notProbed).toEqual([]);
  expect(after.coverage.probed).toBeGreaterThan(0);
});

it('a view over a materialized view is found to show what all tenants have', async () => {
  const { found } = await checked(
    `set tenantctl.scope = 'fleet'; insert into note select key::uuid, 1, 'kept' from tenantctl.placement;
     create materialized view counted as select tenant_id, count(*) from note group by 1;
     create view over_it as select * from counted; grant select on over_it to app_user;`,
  );
  expect(found).toEqual(['materialized-view-shows-rows app.over_it']);
});

it('a foreign key that gets the tenant column by the statements of its finding goes on cascading', async () => {
  const product = `create table boss (tenant_id uuid not null, id bigint not null unique, primary key (tenant_id, id));
    create table arm (tenant_id uuid not null, id bigint not null, boss_id bigint, deputy_id bigint, primary key (tenant_id, id),
      constraint arm_boss foreign key (boss_id) references boss (id) on delete cascade deferrable initially deferred,
      constraint arm_deputy foreign key (deputy_id) references boss (id) on delete set null);`;
  const keys = `select string_agg(pg_get_constraintdef(oid), '; ' order by conkey) as keys from pg_constraint where conrelid = 'app.arm'::regclass and contype = 'f'`;
  for (const rule of ['foreign-key-without-tenant', 'reference-to-foreign-row']) {
    const { findings, fleet } = await checked('select 1', product);
    const sql = findings.filter((finding) => finding.rule === rule).flatMap(({ facts }) => facts.sql ?? []);
    await fleet.force(sql.join(';'));
    expect(await query(server.current.superuserUrl(fleet.database), keys)).toMatchObject([
      {
        keys: 'FOREIGN KEY (tenant_id, boss_id) REFERENCES app.boss(tenant_id, id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED NOT VALID; FOREIGN KEY (tenant_id, deputy_id) REFERENCES app.boss(tenant_id, id) ON DELETE SET NULL (deputy_id) NOT VALID',
      },
    ]);
  }
});

it('views and functions that may reach out of the database are not asked', async () => {
  const { coverage } = await checked(
    `create function tell() returns int language plpgsql stable security definer set search_path = pg_catalog as
       $$ begin perform dblink_exec('host=elsewhere', 'select 1'); return 1; end $$;
     create view told with (security_invoker = true) as select n.*, tell() from note n;
     create view told_again with (security_invoker = true) as select * from told; grant select on told, told_again to app_user;`,
  );
  expect(
    coverage.notProbed.map(({ where, reason }) => `${where.split('.').slice(1).join('.')}: ${reason}`),
  ).toEqual([
    'app.told: it may reach out of the database (app.tell: it calls dblink_exec)',
    'app.told_again: it may reach out of the database (app.told → app.tell: it calls dblink_exec)',
    'app.tell(): it may reach out of the database (it calls dblink_exec)',
  ]);
});

const ODD = {
  product:
    'create table note (tenant_id uuid not null, id bigint not null, body text, primary key (id, tenant_id));',
  sql: `set tenantctl.scope = 'fleet'; insert into note select key::uuid, 1, 'the secret of ' || tenant from tenantctl.placement;
    alter table note alter body set default '1'; alter table note alter body set not null; drop policy tenantctl_tenant on note;
    create function positive(text) returns boolean language plpgsql immutable cost 0.0001 as 'begin return $1::int > 0; end';
    create policy odd on note using (positive(body) and tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);`,
};

it('a policy that fails on some rows is taken for no crossing', async () => {
  const { found } = await checked(ODD.sql, ODD.product);
  expect(found).toEqual([]);
});

it('no value of a row of a tenant is told, though a policy fails on it', async () => {
  const { findings, coverage } = await checked(
    `alter database this_database set enable_indexscan = off; alter database this_database set enable_bitmapscan = off;
     alter database this_database set enable_indexonlyscan = off; ${ODD.sql}`,
    ODD.product,
  );
  const told = JSON.stringify([findings, coverage]);
  expect(told).toContain('invalid input syntax for type integer');
  expect(told).not.toContain('the secret of');
});
