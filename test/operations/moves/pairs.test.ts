import { beforeAll, expect, test } from 'vitest';
import type { Tier } from '../../../src/core/tier.js';
import { useServer } from '../../support/server.js';
import { type MovingFleet, movingFleet } from './fleet.js';

const server = useServer();
let fleet: MovingFleet;

beforeAll(async () => {
  fleet = await movingFleet(server.current);
});

const PAIRS: [Tier, Tier][] = [
  ['pool', 'schema'],
  ['pool', 'database'],
  ['schema', 'database'],
  ['database', 'schema'],
  ['schema', 'pool'],
  ['database', 'pool'],
];

test.each(PAIRS)(
  'a tenant moves from %s to %s while it is written to, and nothing is lost',
  async (from, to) => {
    const id = `${from}-to-${to}`;
    const before = await fleet.tenant(id, from);
    const writer = fleet.writer(id);
    await writer.commits(30);
    const report = await fleet.promote({ id, to, method: 'online' });
    await writer.commits(30);
    const seen = await fleet.settle(id, writer);
    expect({ lost: seen.lost, extra: seen.extra, surprises: [...seen.surprises] }).toEqual({
      lost: [],
      extra: [],
      surprises: [],
    });
    expect(report).toMatchObject({ state: 'grace', verified: true, method: 'online' });
    const after = await fleet.show(id);
    expect(after).toMatchObject({ status: 'active', tier: to, epoch: before.epoch + 1, key: before.key });
  },
  60_000,
);
