import { expect, test } from 'vitest';
import type { PoolSettings } from '../../src/core/settings.js';
import { activateTenant } from '../../src/operations/activate.js';
import { suspendTenant } from '../../src/operations/suspend.js';
import { useFleets } from './fleets.js';

const fleets = useFleets();

test('a tenant of a pool that observes is told which of its rows its suspension leaves within reach', async () => {
  const fleet = await fleets.make({ pool: 2, schema: 0, database: 0 }, { tenancy: { rls: 'observe' } });
  const [pool] = Object.values(fleet.settings.clusters['main']?.pools ?? {}) as [PoolSettings];
  await fleet.shared('create table app.note (tenant_id uuid, body text)');
  const told = async (): Promise<string[]> => {
    const before = fleet.events.length;
    await suspendTenant(fleet.fleet, 'pool-1', { dryRun: false });
    await activateTenant(fleet.fleet, 'pool-1', { dryRun: false });
    return fleet.events
      .slice(before)
      .flatMap((event) => (event.type === 'notice' ? [`${event.code} ${event.message}`] : []));
  };
  expect(await told()).toEqual([
    expect.stringMatching(/^HOME_STAYS_OPEN tenant pool-1 .* in item and note of pool /),
  ]);
  pool.enforce = ['note'];
  await fleet.migrate();
  expect(await told()).toEqual([expect.stringMatching(/ in item of pool /)]);
  pool.enforce = ['note', 'item'];
  await fleet.migrate();
  expect(await told()).toEqual([]);
});
