import { beforeAll, describe, expect, test } from 'vitest';
import type { Tier } from '../../../src/core/tier.js';
import { requireMove } from '../../../src/engine/catalog/moves.js';
import { finishMove, goBack, takeBack } from '../../../src/operations/moves/conduct.js';
import { query, useServer } from '../../support/server.js';
import { dyingFleet } from '../../engine/tiers/support.js';
import { type MovingFleet, movingFleet } from './fleet.js';
import { leftovers } from './leftovers.js';

const server = useServer();
let fleet: MovingFleet;

beforeAll(async () => {
  fleet = await movingFleet(server.current);
});

const stored = (move: string) => fleet.fleet.catalog((connection) => requireMove(connection, move));

describe.each([
  ['pool', 'schema'],
  ['schema', 'database'],
  ['database', 'pool'],
] as [Tier, Tier][])('after a move from %s to %s', (from, to) => {
  const name = (what: string): string => `${what}-${from}-${to}`;

  test('undo brings the tenant back with everything it has written since', async () => {
    const id = name('back');
    const before = await fleet.tenant(id, from);
    const writer = fleet.writer(id);
    await writer.commits(20);
    const { move } = await fleet.promote({ id, to, method: 'online' });
    await writer.commits(60);
    const report = await goBack(fleet.fleet, await stored(move));
    await writer.commits(20);
    const { lost, extra, surprises } = await fleet.settle(id, writer);
    expect({ lost, extra, surprises: [...surprises] }).toEqual({ lost: [], extra: [], surprises: [] });
    expect(report.state).toBe('undone');
    expect(await fleet.show(id)).toMatchObject({ status: 'active', tier: from, epoch: before.epoch + 2 });
    expect(await leftovers(server.current, fleet, id)).toEqual([]);
  });

  test('complete deletes the old copy and everything that helped', async () => {
    const id = name('done');
    await fleet.tenant(id, from);
    const writer = fleet.writer(id);
    const { move } = await fleet.promote({ id, to, method: 'online' });
    await finishMove(fleet.fleet, await stored(move));
    await writer.commits(20);
    const { lost, extra, surprises } = await fleet.settle(id, writer);
    expect({ lost, extra, surprises: [...surprises] }).toEqual({ lost: [], extra: [], surprises: [] });
    expect(await leftovers(server.current, fleet, id)).toEqual([]);
  });

  test('a move that was given up before the point of no return leaves nothing', async () => {
    const id = name('abort');
    const before = await fleet.tenant(id, from);
    const counts = await fleet.rows(before);
    const writer = fleet.writer(id);
    await writer.commits(10);
    const dying = dyingFleet(fleet.fleet, 'move.verified');
    await expect(fleet.promote({ id, to, method: 'online' }, dying)).rejects.toThrow('died at');
    await dying.close();
    const [open] = await query<{ id: string }>(
      fleet.settings.catalogUrl,
      `select id from tenantctl_catalog.moves where tenant = $1`,
      [id],
    );
    await takeBack(fleet.fleet, await stored(open?.id ?? ''));
    await writer.commits(10);
    const { lost, extra } = await fleet.settle(id, writer);
    expect({ lost, extra }).toEqual({ lost: [], extra: [] });
    expect(await fleet.show(id)).toMatchObject({ status: 'active', tier: from, epoch: before.epoch });
    expect(await leftovers(server.current, fleet, id)).toEqual([]);
    expect(Object.keys(await fleet.rows(before))).toEqual(Object.keys(counts));
  });
});
