import { beforeAll, expect, test } from 'vitest';
import type { Tier } from '../../../src/core/tier.js';
import { requireMove } from '../../../src/engine/catalog/moves.js';
import { goBack } from '../../../src/operations/moves/conduct.js';
import { isTenantctlError } from '../../../src/core/errors.js';
import { query, useServer } from '../../support/server.js';
import { type MovingFleet, movingFleet } from './fleet.js';
import { directoryOf, numbered } from '../../engine/ledger/directory.js';
import { ZOO } from './zoo.js';
import { leftovers } from './leftovers.js';

const server = useServer();
let fleet: MovingFleet;

beforeAll(async () => {
  fleet = await movingFleet(server.current);
});

test.each([
  ['atomic', 'pool', 'schema'],
  ['atomic', 'schema', 'pool'],
  ['offline', 'pool', 'database'],
  ['offline', 'schema', 'database'],
  ['offline', 'database', 'pool'],
  ['offline', 'database', 'schema'],
] as ['atomic' | 'offline', Tier, Tier][])(
  '%s: from %s to %s under load, and back',
  async (method, from, to) => {
    const id = `${method}-${from}-${to}`;
    await fleet.tenant(id, from);
    const writer = fleet.writer(id);
    await writer.commits(20);
    const report = await fleet.promote({ id, to, method });
    expect(report).toMatchObject({ method, state: 'grace', verified: true });
    await writer.commits(20);
    await goBack(
      fleet.fleet,
      await fleet.fleet.catalog((connection) => requireMove(connection, report.move)),
    );
    await writer.commits(20);
    const { lost, extra, surprises } = await fleet.settle(id, writer);
    expect({ lost, extra, surprises: [...surprises] }).toEqual({ lost: [], extra: [], surprises: [] });
    expect(await leftovers(server.current, fleet, id)).toEqual([]);
  },
  60_000,
);

test('a small tenant moves in one transaction within a database, without being told to', async () => {
  await fleet.tenant('small', 'pool', 50);
  expect(await fleet.promote({ id: 'small', to: 'schema' })).toMatchObject({ method: 'atomic' });
  await fleet.tenant('apart', 'pool', 50);
  expect(await fleet.promote({ id: 'apart', to: 'database' })).toMatchObject({ method: 'online' });
});

test('the same call again finds the tenant where it is', async () => {
  await fleet.tenant('again', 'pool', 10);
  await fleet.promote({ id: 'again', to: 'schema', graceMs: 0 });
  expect(await fleet.promote({ id: 'again', to: 'schema' })).toEqual({ tenant: 'again', already: true });
  expect(await leftovers(server.current, fleet, 'again')).toEqual([]);
});

test('a tenant in its grace period is not moved again', async () => {
  await fleet.tenant('grace', 'pool', 10);
  await fleet.promote({ id: 'grace', to: 'schema' });
  const second = await fleet.promote({ id: 'grace', to: 'database' }).catch((error: unknown) => error);
  expect(isTenantctlError(second) && [second.code, second.exit]).toEqual(['MOVE_UNFINISHED', 5]);
  expect(isTenantctlError(second) && second.message).toContain('that is in its grace period.');
});

test('ids, sequences and generated values go on where they were', async () => {
  const { key } = await fleet.tenant('numbers', 'pool', 100);
  await fleet.promote({ id: 'numbers', to: 'database', graceMs: 0 });
  const { database, schema } = await fleet.show('numbers');
  const url = server.current.superuserUrl(database);
  await query(
    url,
    `set search_path = "${schema}"; set app.tenant_id = '${key}'; insert into orders (customer_id) select min(id) from customer`,
  );
  const [row] = await query<{ ahead: boolean; doubled: boolean }>(
    url,
    `select (select max(id) from "${schema}".orders) > 100 as ahead, bool_and(double = amount * 2) as doubled from "${schema}".customer`,
  );
  expect(row).toEqual({ ahead: true, doubled: true });
});

test('the old home answers reads and writes with where the tenant has gone', async () => {
  const before = await fleet.tenant('gone', 'pool', 10);
  await fleet.promote({ id: 'gone', to: 'schema' });
  const url = fleet.application.url(before.database);
  const context = `begin; set local role ${fleet.settings.tenancy.appRole}; set local search_path = ${before.schema}; select set_config('app.tenant_id', '${before.key}', true);`;
  const tried = await Promise.all(
    ['select count(*) from customer', `insert into journal (token) values (gen_random_uuid())`].map(
      (statement) =>
        query(url, `${context} ${statement}`).then(
          () => 'served',
          (error: { code: string; detail: string }) => [error.code, JSON.parse(error.detail).schema],
        ),
    ),
  );
  const { schema } = await fleet.show('gone');
  expect(tried).toEqual([
    ['TC001', schema],
    ['TC001', schema],
  ]);
});

test('a migration for one tier only does not keep a tenant from moving there and back', async () => {
  const one = await movingFleet(server.current, {
    migrations: directoryOf(numbered(...ZOO, '-- tenantctl: tiers=pool\nselect 1;')),
  });
  await one.tenant('one', 'pool', 20);
  const { move } = await one.promote({ id: 'one', to: 'schema', method: 'online' });
  await goBack(one.fleet, await one.fleet.catalog((connection) => requireMove(connection, move)));
  await one.promote({ id: 'one', to: 'schema', graceMs: 0 });
  await one.promote({ id: 'one', to: 'pool', graceMs: 0 });
  expect(await one.show('one')).toMatchObject({ tier: 'pool', epoch: 5, status: 'active' });
});
