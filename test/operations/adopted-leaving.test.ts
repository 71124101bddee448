import { expect, test } from 'vitest';
import { driverOf } from '../../src/engine/tiers/registry.js';
import { activateTenant } from '../../src/operations/activate.js';
import { setTenant } from '../../src/operations/set.js';
import { suspendTenant } from '../../src/operations/suspend.js';
import { useServer } from '../support/server.js';
import { type AdoptedFleet, adoptedFleet } from './adopted-fleet.js';
import { codeOf } from './fleets.js';

const server = useServer();
const now = { dryRun: false };

/** Every right on a database, its schemas and what is in them, and every role with its memberships. */
async function rights(made: AdoptedFleet, database: string): Promise<unknown> {
  return made.inside(
    database,
    `select 'database' as on, d.datname::text as name, x.* from pg_database d cross join aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) x where d.datname = current_database()
     union all
     select 'schema', n.nspname::text, x.* from pg_namespace n cross join aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) x where n.nspname not like 'tenantctl%'
     union all
     select 'relation', c.oid::regclass::text, x.* from pg_class c cross join aclexplode(c.relacl) x where c.relnamespace <> all (array(select oid from pg_namespace where nspname like any (array['pg%', 'information%', 'tenantctl%'])))
     union all
     select 'member', roleid::regrole::text, grantor, member, concat_ws(' ', to_jsonb(m) - 'oid'), admin_option from pg_auth_members m
     union all
     select 'role', rolname::text, null, null, to_jsonb(r)::text, null from pg_roles r
     order by 1, 2, 3, 4, 5, 6`,
  );
}

const enters = (made: AdoptedFleet, tenant: string): Promise<string> => {
  const { database, schema } = made.homeOf(tenant).placement;
  return made.asApp(database, `select * from "${schema}".customer`).then(
    (rows) => `${rows.length} rows`,
    (error: { code: string }) => error.code,
  );
};

const notices = (made: AdoptedFleet): string[] =>
  made.events.flatMap((event) =>
    event.type === 'notice' && !event.code.startsWith('SHAPE_') ? [event.code] : [],
  );

test('a suspended tenant is shut out and its neighbours, served by the same role, are not; afterwards every right is as it was', async () => {
  const made = await adoptedFleet(server.current, { databases: ['umbrella', 'initech'] });
  const { inside, app, owner, fleet } = made;
  await inside(made.database, `grant usage on schema "Legacy acme" to ${app} with grant option`);
  await inside(
    made.homeOf('umbrella').placement.database,
    `grant connect on database "${made.homeOf('umbrella').placement.database}" to ${owner}`,
  );
  for (const tenant of ['acme', 'umbrella']) {
    const { database } = made.homeOf(tenant).placement;
    const before = await rights(made, database);
    await suspendTenant(fleet, tenant, now);
    await suspendTenant(fleet, tenant, now);
    expect(await enters(made, tenant)).toBe('42501');
    expect([await enters(made, 'globex'), await enters(made, 'initech')]).toEqual(['2 rows', '2 rows']);
    made.add(`alter table customer add column during_${tenant} int;`);
    expect((await made.migrate()).failures).toEqual([]);
    await activateTenant(fleet, tenant, now);
    await activateTenant(fleet, tenant, now);
    expect(await enters(made, tenant)).toBe('2 rows');
    expect(await rights(made, database)).toEqual(before);
  }
  expect(notices(made)).toEqual([]);
  await suspendTenant(fleet, 'acme', now);
  await inside('postgres', `revoke ${owner} from tenantctl_admin`);
  expect(await codeOf(activateTenant(fleet, 'acme', now))).toBe('OWNER_NOT_ASSUMABLE');
  await made.allow();
  await activateTenant(fleet, 'acme', now);
  expect(await enters(made, 'acme')).toBe('2 rows');
});

test('where the application owns the schema, what stays open is said', async () => {
  const made = await adoptedFleet(server.current, { schemas: ['acme'] });
  await made.inside(made.database, `alter schema "Legacy acme" owner to ${made.app}`);
  await suspendTenant(made.fleet, 'acme', now);
  expect(notices(made)).toEqual(['HOME_STAYS_OPEN']);
  await activateTenant(made.fleet, 'acme', now);
  expect(await enters(made, 'acme')).toBe('2 rows');
});

test('labels are written, and the role and the database keep the limits that they have', async () => {
  const made = await adoptedFleet(server.current, { schemas: ['acme'], databases: ['umbrella'] });
  const settings = () =>
    made.inside(
      'postgres',
      `select rolname, rolconnlimit, rolconfig from pg_roles where rolname = '${made.app}' union all
      select datname, datconnlimit, null from pg_database where datname like 'legacy%' order by 1`,
    );
  const before = await settings();
  await setTenant(made.fleet, 'umbrella', { plan: 'enterprise', labels: { ring: 'one' } }, now);
  await setTenant(made.fleet, 'acme', { labels: { ring: 'one' } }, now);
  expect(await settings()).toEqual(before);
  expect(notices(made)).toEqual(['LIMITS_NOT_SET']);
  expect(await made.findings()).toEqual([]);
});

test('the home of a tenant that is gone is dropped by its owner, and the role that serves others stays', async () => {
  const made = await adoptedFleet(server.current, { databases: ['umbrella'] });
  const { fleet, inside, owner } = made;
  for (const tenant of ['acme', 'umbrella']) {
    const home = made.homeOf(tenant);
    const driver = driverOf(home.placement.tier);
    await inside('postgres', `revoke ${owner} from tenantctl_admin`);
    expect(await codeOf(driver.drop(fleet, home))).toBe('OWNER_NOT_ASSUMABLE');
    await made.allow();
    await driver.drop(fleet, home);
    expect(await driver.inspect(fleet, home)).toEqual({ state: 'absent', role: 'foreign' });
  }
  expect(await inside(made.database, 'select unit from tenantctl.adopted')).toEqual([
    { unit: 'schema:Legacy globex' },
  ]);
  expect(await enters(made, 'globex')).toBe('2 rows');
});
