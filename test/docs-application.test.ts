import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Fleet } from '../src/engine/context.js';
import type { Route } from '../src/engine/routing/route.js';
import { provision } from '../src/operations/provision.js';
import { routeTenant } from '../src/operations/route.js';
import { suspendTenant } from '../src/operations/suspend.js';
import { newFleet } from './support/fleet.js';
import { ROOT, codeBlocks, readPage } from './support/pages.js';
import { query, useServer } from './support/server.js';

/** What the example of docs/how-to/connect-an-application.md exports. */
interface Example {
  withTenant<T>(route: Route, login: Login, work: (client: pg.PoolClient) => Promise<T>): Promise<T>;
  closePools(): Promise<void>;
}

interface Login {
  user: string;
  password: string;
}

const server = useServer();
const page = readPage('docs/how-to/connect-an-application.md');
const folder = mkdtempSync(path.join(tmpdir(), 'tenantctl-example-'));
let example: Example;

beforeAll(async () => {
  const code = codeBlocks(page).find(({ text }) => text.includes('export async function withTenant'));
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'));
  writeFileSync(path.join(folder, 'example.mjs'), code?.text ?? '');
  example = (await import(pathToFileURL(path.join(folder, 'example.mjs')).href)) as Example;
});
afterEach(() => example.closePools());
afterAll(() => rmSync(folder, { recursive: true }));

/** The page's own statement, with the names of this fleet. */
async function makeLogin(fleet: Fleet): Promise<Login> {
  const { appRole } = fleet.settings.tenancy;
  const login = { user: `invoicing_${appRole}`, password: 'a-password' };
  const statement = codeBlocks(page).find(({ text }) => text.startsWith('create role invoicing login'));
  const text = (statement?.text ?? '').replace('app_user', appRole).replace('invoicing', login.user);
  await query(server.current.adminUrl('postgres'), text.replace('…', login.password));
  return login;
}

const countCustomers = (client: pg.PoolClient) => client.query('select count(*)::int as n from customer');

describe.each([
  ['pool', 'TC002'],
  ['schema', '42501'],
  ['database', '42501'],
] as const)('the example application, with a tenant in tier %s', (tier, refusal) => {
  test('works with unchanged SQL, and is refused as the page says once the tenant is suspended', async () => {
    const { fleet } = await newFleet(server.current);
    for (const id of ['one', 'two']) await provision(fleet, { id, tier }, { dryRun: false });
    const login = await makeLogin(fleet);
    const [one, two] = [await routeTenant(fleet, 'one'), await routeTenant(fleet, 'two')];

    await example.withTenant(one, login, (client) =>
      client.query(`insert into customer (code, name, country_code) values ('C1', 'Harbour Cafe', 'DE')`),
    );
    expect((await example.withTenant(one, login, countCustomers)).rows).toEqual([{ n: 1 }]);
    expect((await example.withTenant(two, login, countCustomers)).rows).toEqual([{ n: 0 }]);

    await suspendTenant(fleet, 'one', { dryRun: false });
    await expect(example.withTenant(one, login, countCustomers)).rejects.toMatchObject({ code: refusal });
    expect((await example.withTenant(two, login, countCustomers)).rows).toEqual([{ n: 0 }]);
  });
});

test('a kept route can be checked against its home, as the page says', async () => {
  const { fleet } = await newFleet(server.current);
  await provision(fleet, { id: 'kept', tier: 'schema' }, { dryRun: false });
  const login = await makeLogin(fleet);
  const route = await routeTenant(fleet, 'kept');
  const admit = (epoch: number) =>
    example.withTenant(route, login, (client) =>
      client.query('select tenantctl.admit($1, $2)', [route.key, epoch]),
    );
  expect((await admit(route.epoch)).rows).toEqual([{ admit: true }]);
  await expect(admit(route.epoch + 1)).rejects.toMatchObject({ code: 'TC003' });
});
