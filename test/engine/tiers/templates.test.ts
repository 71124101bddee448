import { describe, expect, test } from 'vitest';
import { driverOf } from '../../../src/engine/tiers/registry.js';
import { ensureTemplate } from '../../../src/engine/tiers/template.js';
import { newFleet } from '../../support/fleet.js';
import { query, useServer } from '../../support/server.js';
import { homeFor, migrationsOf, newApplication, opened, refusal } from './support.js';

const server = useServer();
const NOTE = 'create table note (id int primary key)';

const databases = async (like: string): Promise<string[]> => {
  const rows = await query<{ datname: string }>(
    server.current.superuserUrl('postgres'),
    'select datname from pg_database where datname like $1 order by 1',
    [like],
  );
  return rows.map(({ datname }) => datname);
};
const templates = () => databases('tenantctl\\_template\\_%');

describe('the template of tenant databases', () => {
  test('lets nobody connect, not even its maker', async () => {
    const { fleet, settings } = await newFleet(server.current);
    await opened(fleet, homeFor(settings, 'pool', 'first'), []);
    const application = await newApplication(settings);
    const name = await ensureTemplate(fleet, 'main', await migrationsOf(NOTE));
    for (const url of [
      server.current.adminUrl(name),
      server.current.superuserUrl(name),
      application.url(name),
    ])
      expect(['55000', '42501']).toContain(await refusal(query(url, 'select 1')));
    const [row] = await query(
      server.current.superuserUrl('postgres'),
      `select datallowconn, has_database_privilege('public', oid, 'connect') as public from pg_database where datname = $1`,
      [name],
    );
    expect(row).toEqual({ datallowconn: false, public: false });
  });

  test('is made once and copied from then on', async () => {
    const { fleet, settings } = await newFleet(server.current);
    const migrations = await migrationsOf(NOTE);
    const before = await templates();
    await opened(fleet, homeFor(settings, 'database', 'first'), migrations);
    const made = (await templates()).filter((name) => !before.includes(name));
    expect(made).toHaveLength(1);
    const oid = () =>
      query(
        server.current.superuserUrl('postgres'),
        'select oid::int from pg_database where datname = $1',
        made,
      );
    const first = await oid();
    await opened(fleet, homeFor(settings, 'database', 'second'), migrations);
    expect(await oid()).toEqual(first);
    expect((await templates()).filter((name) => !before.includes(name))).toEqual(made);
  });

  test('is made anew when the migrations change; the old one goes, and that of another fleet stays', async () => {
    const [ours, theirs] = [await newFleet(server.current), await newFleet(server.current)];
    const [one, two] = [await migrationsOf(NOTE), await migrationsOf(NOTE, 'create table memo (id int)')];
    const foreign = await ensureTemplate(theirs.fleet, 'main', one);
    const old = await ensureTemplate(ours.fleet, 'main', one);
    expect(foreign).not.toBe(old);
    const renewed = await ensureTemplate(ours.fleet, 'main', two);
    expect(await templates()).toEqual(expect.arrayContaining([foreign, renewed]));
    expect(await templates()).not.toContain(old);
    const home = await opened(ours.fleet, homeFor(ours.settings, 'database', 'new'), two);
    const tables = await driverOf('database').relations(ours.fleet, home);
    expect(tables.map(({ name }) => name)).toEqual(['memo', 'note']);
  });

  test('is made anew when the rules of tenancy change', async () => {
    const { fleet, settings, another } = await newFleet(server.current);
    const migrations = await migrationsOf(NOTE);
    const old = await ensureTemplate(fleet, 'main', migrations);
    settings.tenancy.setting = 'app.customer';
    const renewed = await ensureTemplate(another(), 'main', migrations);
    expect(renewed).not.toBe(old);
    expect(await templates()).not.toContain(old);
  });

  test('is made by one of two processes that want it at once, and both get their database', async () => {
    const { fleet, settings, another } = await newFleet(server.current);
    const migrations = await migrationsOf(NOTE, 'select pg_sleep(0.05)');
    const before = await templates();
    const [first, second] = [homeFor(settings, 'database', 'first'), homeFor(settings, 'database', 'second')];
    await Promise.all([opened(fleet, first, migrations), opened(another(), second, migrations)]);
    expect((await templates()).filter((name) => !before.includes(name))).toHaveLength(1);
    expect(await databases('tenantctl\\_making\\_%')).toEqual([]);
    for (const home of [first, second])
      expect(await driverOf('database').inspect(fleet, home)).toMatchObject({ admission: 'active' });
  });

  test('leaves no rights, comment or connection limit of its own in the copies', async () => {
    const { fleet, settings } = await newFleet(server.current);
    const home = await opened(fleet, homeFor(settings, 'database', 'acme'), await migrationsOf(NOTE));
    const [copy] = await query(
      server.current.superuserUrl('postgres'),
      `select datallowconn, datistemplate, datconnlimit, shobj_description(oid, 'pg_database') as comment,
         has_database_privilege('public', oid, 'connect') as public from pg_database where datname = $1`,
      [home.placement.database],
    );
    expect(copy).toEqual({
      datallowconn: true,
      datistemplate: false,
      datconnlimit: -1,
      comment: null,
      public: false,
    });
    const placed = await query(
      server.current.superuserUrl(home.placement.database),
      'select tenant from tenantctl.placement',
    );
    expect(placed).toEqual([{ tenant: 'acme' }]);
  });
});

describe('an application role that was there before', () => {
  const before16 = () => server.current.major < 16;

  test.each([
    ['is a superuser', 'superuser noinherit', /CREATE ROLE another NOLOGIN/],
    ['bypasses row-level security', 'bypassrls noinherit', /ALTER ROLE .* NOBYPASSRLS/],
    ['cannot be assumed by the administrator', 'noinherit', /GRANT .* TO "tenantctl_admin"/],
    ['inherits the rights of every tenant role', 'inherit', /ALTER ROLE .* NOINHERIT/],
  ])('and %s is refused in every tier, with the remedy', async (problem, attributes, remedy) => {
    const { settings, another } = await newFleet(server.current);
    const { appRole } = settings.tenancy;
    await query(server.current.superuserUrl('postgres'), `create role "${appRole}" nologin ${attributes}`);
    // Since 16 the grant and not the role decides on inheritance, so that only the membership is amiss.
    const expected = attributes === 'inherit' && !before16() ? /cannot be assumed/ : new RegExp(problem);
    const hint = attributes === 'inherit' && !before16() ? /GRANT .* TO/ : remedy;
    for (const tier of ['pool', 'schema', 'database'] as const) {
      const home = homeFor(settings, tier, 'acme');
      const making = driverOf(tier).create(another(), home, []);
      await expect(making).rejects.toMatchObject({
        code: 'APP_ROLE_UNSAFE',
        exit: 6,
        hint: expect.stringMatching(hint),
      });
      await expect(making).rejects.toThrow(expected);
      expect(await databases(home.placement.database)).toEqual([]);
    }
  });

  test('and is as it should be is taken as it is', async () => {
    const { fleet, settings } = await newFleet(server.current);
    const { appRole } = settings.tenancy;
    await query(
      server.current.superuserUrl('postgres'),
      `create role "${appRole}" nologin noinherit; grant "${appRole}" to tenantctl_admin`,
    );
    const home = await opened(
      fleet,
      homeFor(settings, 'pool', 'acme'),
      await migrationsOf('create table note (tenant_id uuid)'),
    );
    const rows = await driverOf('pool').open(fleet, home, (session) =>
      session.message('insert into note default values'),
    );
    expect(rows[0]?.rowCount).toBe(1);
  });
});
