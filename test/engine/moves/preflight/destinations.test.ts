import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Tenant } from '../../../../src/core/tenant.js';
import { INVOICING } from '../../../support/fleet.js';
import { query, useServer } from '../../../support/server.js';
import { type PreflightFleet, placesOf, preflightFleet, statementIn } from './support.js';

const near = useServer();
const far = useServer();
let fleet: PreflightFleet;
let acme: Tenant;

beforeAll(async () => {
  fleet = await preflightFleet(near.current, {
    migrations: `${INVOICING}migrations`,
    seed: `${INVOICING}seed.sql`,
  });
  acme = await fleet.tenant('acme', 'pool');
  await fleet.tenant('house', 'schema');
  await fleet.tenant('resident', 'pool', `${acme.pool}second`);
  fleet.settings.clusters['far'] = {
    ...fleet.fleet.cluster('main'),
    name: 'far',
    url: far.current.adminUrl('postgres'),
    pools: { faraway: { name: 'faraway', database: `${fleet.pool}_far`, schema: 'app' } },
  };
});

test.each([
  ['acme', 'schema', {}],
  ['acme', 'database', {}],
  ['acme', 'pool', { pool: 'second' }],
  ['acme', 'pool', { cluster: 'far' }],
  ['acme', 'schema', { cluster: 'far' }],
  ['acme', 'database', { cluster: 'far' }],
  ['house', 'database', {}],
  ['house', 'pool', {}],
  ['house', 'schema', { cluster: 'far' }],
] as const)('the sample product may move: %s to tier %s %o', async (id, to, place) => {
  const pool = 'pool' in place ? { pool: `${acme.pool}${place.pool}` } : {};
  const more =
    to === 'pool' && !('pool' in place) && !('cluster' in place) ? { pool: acme.pool as string } : {};
  const found = await fleet.findings({ id, to, ...place, ...pool, ...more });
  expect(found.filter(({ level }) => level === 'error')).toEqual([]);
});

test('looking at a server where nothing is yet makes nothing there', async () => {
  await fleet.findings({ id: 'acme', to: 'pool', cluster: 'far' });
  await fleet.findings({ id: 'acme', to: 'database', cluster: 'far' });
  const databases = await query<{ datname: string }>(
    far.current.superuserUrl('postgres'),
    'select datname from pg_database where not datistemplate',
  );
  const roles = await query(
    far.current.superuserUrl('postgres'),
    `select from pg_roles where rolname not like 'pg\\_%' and rolname not in ('postgres', 'tenantctl_admin')`,
  );
  expect([databases, roles]).toEqual([[{ datname: 'postgres' }], []]);
});

test('rights and roles are those of the server that the tenant is to come to', async () => {
  const there = (statement: string) => query(far.current.superuserUrl('postgres'), statement);
  const { appRole } = fleet.settings.tenancy;
  await there('alter role tenantctl_admin nocreatedb');
  await there(`create role ${appRole} noinherit`);
  const errors = async (cluster: string) =>
    (await fleet.findings({ id: 'acme', to: 'database', cluster })).filter(({ level }) => level === 'error');
  const found = await errors('far');
  const here = await errors('main');
  for (const finding of found) await there(statementIn(finding));
  const mended = await errors('far');
  await there(`drop role ${appRole}`);
  expect(placesOf(found)).toEqual([expect.stringMatching(/^error d\d+_acme$/), `error ${appRole}`]);
  expect([...here, ...mended]).toEqual([]);
});

afterAll(async () => {
  await fleet.fleet.close();
});
