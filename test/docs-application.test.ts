import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { REPEATED } from '../src/cli/demo/writer.js';
import type { Tier } from '../src/core/tier.js';
import type { Fleet } from '../src/engine/context.js';
import type { Route } from '../src/engine/routing/route.js';
import { promote } from '../src/operations/moves/promote.js';
import { movesComplete, movesUndo } from '../src/operations/moves/verbs.js';
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

/** The SQLSTATEs of the sentence that three pages and the demo's writer share. */
const ASK_AGAIN = sqlstatesIn(page.text);

function sqlstatesIn(text: string): string[] {
  const sentence = /^Ask for the route again, [^.]*\./m.exec(text)?.[0] ?? '';
  return [...sentence.matchAll(/`([0-9A-Z]{5})`/g)].map(([, sqlstate = '']) => sqlstate);
}

test('every page says with the same words when to ask for the route again', () => {
  expect(ASK_AGAIN.length).toBeGreaterThan(5);
  for (const name of ['docs/how-to/promote-a-tenant.md', 'docs/explanation/moves.md'])
    expect(sqlstatesIn(readPage(name).text)).toEqual(ASK_AGAIN);
  for (const sqlstate of ASK_AGAIN) expect(REPEATED).toContain(sqlstate);
});

describe.each([
  ['pool', 'schema'],
  ['pool', 'database'],
  ['schema', 'pool'],
  ['schema', 'database'],
  ['database', 'pool'],
  ['database', 'schema'],
] as const)('an application with a kept route of a tenant that moves from %s to %s', (from, to) => {
  test('is told to ask again by a SQLSTATE that the page names', async () => {
    // A schema and a database of the same name, as it is by default, have the same role.
    const name = `${from}_${to}_{id}`;
    const { fleet } = await newFleet(server.current, {
      tenancy: { names: { schema: name, database: name } },
    });
    for (const id of ['stays', 'returns']) await provision(fleet, { id, tier: from }, { dryRun: false });
    const login = await makeLogin(fleet);
    const kept = async (id: string): Promise<Route> => {
      const route = await routeTenant(fleet, id);
      await example.withTenant(route, login, countCustomers);
      return route;
    };

    const old = await kept('stays');
    await promote(fleet, { id: 'stays', to }, { dryRun: false });
    expectAskAgain(await metWith(old, login));
    await movesComplete(fleet, 'stays', { dryRun: false });
    expectEnded(from, await metWith(old, login));

    await promote(fleet, { id: 'returns', to }, { dryRun: false });
    const recent = await kept('returns');
    // The administrator may not end the sessions of this login, and a database with sessions is not deleted.
    await example.closePools();
    await movesUndo(fleet, 'returns', { dryRun: false });
    expectEnded(to, await metWith(recent, login));
  });
});

/** What a read and a write over a route meet, over the connection that is kept and over a new one. */
async function metWith(route: Route, login: Login): Promise<(string | null)[]> {
  const insert = `insert into customer (code, name, country_code) values ('C2', 'Pier', 'DE')`;
  const meet = (work: (client: pg.PoolClient) => Promise<unknown>): Promise<string | null> =>
    example.withTenant(route, login, work).then(
      () => null,
      (error: unknown) => (error as { code?: string }).code ?? String(error),
    );
  const both = async () => [await meet(countCustomers), await meet((client) => client.query(insert))];
  const overKept = await both();
  await example.closePools();
  return [...overKept, ...(await both())];
}

function expectAskAgain(met: (string | null)[]): void {
  expect([...ASK_AGAIN, null]).toEqual(expect.arrayContaining(met));
  expect(met).not.toContain(null);
}

/** After the copy in a pool is deleted, the pool knows nothing of the tenant: the page warns of that. */
function expectEnded(tier: Tier, met: (string | null)[]): void {
  if (tier === 'pool') expect(met).toEqual([null, '42501', null, '42501']);
  else expectAskAgain(met);
}
