import { expect, test } from 'vitest';
import type { Tier } from '../../../src/core/tier.js';
import { useServer } from '../../support/server.js';
import { movingFleet } from './fleet.js';

const server = useServer();

const PAIRS: [Tier, Tier][] = [
  ['pool', 'schema'],
  ['schema', 'pool'],
  ['schema', 'database'],
  ['database', 'schema'],
  ['database', 'pool'],
  ['pool', 'database'],
];

/** A fleet whose only cluster allows so many connections, in all and to each database. */
async function fleetOf(connections: number, throttle: string | null) {
  const fleet = await movingFleet(server.current);
  Object.assign(fleet.settings.clusters['main'] ?? {}, {
    maxConnections: connections,
    maxPerDatabase: connections,
  });
  fleet.settings.rollout.throttle.sql = throttle;
  return fleet;
}

test.each([
  ['without a throttle', 5, null],
  ['with a throttle, which asks the server meanwhile', 6, 'select true'],
] as const)(
  'moves %s go through with the fewest connections that they accept',
  async (_, fewest, throttle) => {
    const fleet = await fleetOf(fewest, throttle);
    for (const [from, to] of PAIRS) {
      const id = `${from}-${to}`;
      await fleet.tenant(id, from, 20);
      const { state } = await fleet.promote({ id, to, method: 'online' });
      expect({ id, state }).toEqual({ id, state: 'grace' });
    }
  },
);

test('a throttle needs one connection more, and a move says so before it begins', async () => {
  const fleet = await fleetOf(5, 'select true');
  await fleet.tenant('held', 'schema', 20);
  await expect(fleet.promote({ id: 'held', to: 'database', method: 'online' })).rejects.toThrow(
    /holds up to 6 connections there, and clusters\.main\.maxConnections allows 5/,
  );
});
