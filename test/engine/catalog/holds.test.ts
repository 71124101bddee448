import { beforeAll, beforeEach, expect, test } from 'vitest';
import { listUnits } from '../../../src/engine/catalog/units.js';
import { provisionTenant } from '../../../src/operations/provision.js';
import { type TestFleet, newFleet } from '../../support/fleet.js';
import { query, useServer } from '../../support/server.js';

const server = useServer();
let made: TestFleet;
let pool: string;
let tenants = 0;
let acme: string;

beforeAll(async () => {
  made = await newFleet(server.current, { seed: null });
  pool = Object.keys(made.settings.clusters['main']?.pools ?? {})[0] as string;
  await provisionTenant(made.fleet, { id: 'other', tier: 'pool' });
});

/** What was a placement cannot be one again, so each test has a tenant of its own. */
beforeEach(async () => {
  await query(made.settings.catalogUrl, 'delete from tenantctl_catalog.moves');
  tenants += 1;
  acme = `acme-${tenants}`;
  await provisionTenant(made.fleet, { id: acme, tier: 'schema' });
});

/** A move of acme in a state that the tool would bring it to. */
async function moveIs(to: object, state: string, undo: string | null): Promise<void> {
  const url = made.settings.catalogUrl;
  await query(url, 'delete from tenantctl_catalog.moves');
  await query(
    url,
    `insert into tenantctl_catalog.moves (id, tenant, from_epoch, from_home, to_epoch, to_home, method, state, undo_state, started_at, actor)
     values ('0123456789', '${acme}', 1, '{}', 2, $1, 'online', $2, $3, now() - interval '65 seconds', 'suite')`,
    [JSON.stringify(to), state, undo],
  );
  if (!['flipped', 'grace'].includes(state)) return;
  await query(url, `update tenantctl_catalog.placements set until = now() where tenant = '${acme}'`);
  await query(
    url,
    `insert into tenantctl_catalog.placements (tenant, epoch, tier, cluster, database, schema, pool, role, unit)
     select tenant, 2, $1, cluster, database, schema, $2, role, $3 from tenantctl_catalog.placements where tenant = '${acme}' and epoch = 1`,
    'pool' in to ? ['pool', pool, `pool:${pool}`] : ['database', null, `database:${acme}`],
  );
}

/** The units that a move of the tenant concerns, with what holds them. */
async function units(): Promise<Record<string, string | null>> {
  const records = await made.fleet.catalog((connection) => listUnits(connection, []));
  return Object.fromEntries(
    records
      .filter(({ id, shared }) => shared || id.split('@')[0]?.endsWith(`:${acme}`))
      .map(({ id, moving }) => [id.replace(pool, 'p').replace(acme, 'acme'), moving]),
  );
}

const by = (state: string): unknown =>
  expect.stringMatching(`^tenant ${acme}, move 01234567 is ${state}, for 1 min \\d+ s$`);

test.each(['planned', 'prepared', 'copying', 'syncing', 'verified', 'moved'])(
  'a move that is %s holds both its units',
  async (state) => {
    await moveIs({ tier: 'pool', pool }, state, null);
    expect(await units()).toEqual({ 'pool:p': by(state), 'schema:acme': by(state) });
    await moveIs({ tier: 'database' }, state, null);
    expect(await units()).toEqual({ 'pool:p': null, 'schema:acme': by(state) });
  },
);

test('after the flip the new unit is free, and the old home is a unit of its own, held until it is released', async () => {
  await moveIs({ tier: 'pool', pool }, 'flipped', null);
  expect(await units()).toEqual({ 'pool:p': null, 'schema:acme@old': by('flipped') });
  await query(made.settings.catalogUrl, `update tenantctl_catalog.moves set state = 'grace'`);
  expect(await units()).toEqual({ 'pool:p': null, 'schema:acme@old': null });
});

test('a way back holds what it leads out of, and lists no old home', async () => {
  await moveIs({ tier: 'pool', pool }, 'grace', 'syncing');
  const since = expect.stringMatching(`^tenant ${acme}, move 01234567 is going back, for `);
  expect(await units()).toEqual({ 'pool:p': since });
});

test('what has ended holds nothing', async () => {
  await moveIs({ tier: 'pool', pool }, 'planned', null);
  await query(
    made.settings.catalogUrl,
    `update tenantctl_catalog.moves set state = 'aborted', finished_at = now()`,
  );
  expect(await units()).toEqual({ 'pool:p': null, 'schema:acme': null });
});

test('the hold of a way back counts from its own beginning', async () => {
  await moveIs({ tier: 'pool', pool }, 'grace', null);
  await query(made.settings.catalogUrl, `update tenantctl_catalog.moves set undo_state = 'syncing'`);
  const records = await made.fleet.catalog((connection) => listUnits(connection, []));
  expect(records.find(({ shared }) => shared)?.heldMs).toBeLessThan(60_000);
});
