import { beforeAll, expect, test } from 'vitest';
import type { Tier } from '../../../src/core/tier.js';
import { requireMove } from '../../../src/engine/catalog/moves.js';
import { finishMove, goBack, goOn } from '../../../src/operations/moves/conduct.js';
import { useOtherMajor } from '../../support/other-major.js';
import { useServer } from '../../support/server.js';
import { type FarFleet, farFleet } from './far-fleet.js';
import { withReach } from './reach.js';

const server = useServer();
const other = useOtherMajor();
let fleet: FarFleet;

const CLEAN = { lost: [], extra: [], surprises: [] };

beforeAll(async () => {
  fleet = await farFleet(server.current, () => other.current);
});

test.each([
  ['pool', 'pool'],
  ['schema', 'schema'],
  ['database', 'database'],
  ['pool', 'schema'],
  ['schema', 'pool'],
] as [Tier, Tier][])(
  'a tenant moves from %s to %s on a server of another major version, and back again',
  async (from, to) => {
    const id = `far-${from}-${to}`;
    await fleet.tenant(id, from);
    const writer = fleet.farWriter(id);
    await writer.commits(20);
    const there = await fleet.promote({ id, to, cluster: 'other', graceMs: 0 });
    expect(there).toMatchObject({ state: 'completed', method: 'online' });
    await writer.commits(20);
    const back = await fleet.promote({ id, to: from, cluster: 'main' });
    await writer.commits(20);
    await goBack(fleet.fleet, await fleet.fleet.catalog((connection) => requireMove(connection, back.move)));
    expect(await fleet.compared(id, writer)).toEqual(CLEAN);
    expect(await fleet.show(id)).toMatchObject({ cluster: 'other', tier: to, epoch: 4, status: 'active' });
  },
  90_000,
);

test.each(['move.table-copied', 'move.copied', 'move.verified'] as const)(
  'a target server that dies at %s stops the move; when it is back, the move goes on',
  async (point) => {
    const id = `dies-${point.replace(/\W/g, '-')}`;
    await fleet.tenant(id, 'pool');
    const writer = fleet.farWriter(id);
    await writer.commits(10);
    let dead: Promise<void> | undefined;
    const { error } = await withReach(
      fleet,
      point,
      () => (dead ??= other.current.stop()),
      (dying) => fleet.promote({ id, to: 'database', cluster: 'other' }, dying),
    );
    expect(error).toMatchObject({ exit: 4 });
    await dead;
    await writer.commits(10);
    await other.restart();
    const move = await fleet.move(id);
    const report = await goOn(fleet.again(), move);
    expect(report.state).toBe('grace');
    expect(await fleet.compared(id, writer)).toEqual(CLEAN);
    await finishMove(fleet.again(), { ...move, ...report } as never);
  },
  90_000,
);
