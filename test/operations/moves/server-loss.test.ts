import { beforeAll, expect, test } from 'vitest';
import type { FaultPoint } from '../../../src/core/faults.js';
import { Fleet } from '../../../src/engine/context.js';
import { finishMove, goOn } from '../../../src/operations/moves/conduct.js';
import { promote } from '../../../src/operations/moves/promote.js';
import { provisionTenant } from '../../../src/operations/provision.js';
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

type Cluster = 'main' | 'other';

/** A tenant of the other server with rows of its own writing. */
async function writingTenant(id: string, tier: 'pool' | 'schema', cluster: Cluster) {
  await provisionTenant(fleet.again(), { id, tier, cluster });
  const writer = fleet.farWriter(id);
  await writer.commits(60);
  return writer;
}

/** The other server is away while the writer goes on asking for it; then the move is taken on by a new process. */
async function backAndOn(id: string, stopped: Promise<unknown> | undefined): Promise<string> {
  await stopped;
  await other.restart();
  const move = await fleet.move(id);
  const { state } = await goOn(fleet.again(), move);
  return state;
}

test.each([
  ['pool', 'database', 'move.table-copied'],
  ['pool', 'database', 'move.applied'],
  ['pool', 'database', 'move.verified'],
  ['schema', 'pool', 'move.table-copied'],
  ['schema', 'pool', 'move.applied'],
] as const)(
  'from %s to %s: a source server that is restarted at %s stops the move, which then goes on without loss',
  async (from, to, point: FaultPoint) => {
    const id = `left-${from}-${point.replace(/\W/g, '-')}`;
    const writer = await writingTenant(id, from, 'other');
    let stopped: Promise<unknown> | undefined;
    const { error } = await withReach(
      fleet,
      point,
      () => (stopped ??= other.current.stop()),
      (process) => promote(process, { id, to, cluster: 'main', method: 'online' }, { dryRun: false }),
    );
    expect(error).toMatchObject({ exit: 4 });
    expect(await backAndOn(id, stopped)).toBe('grace');
    expect(await fleet.compared(id, writer)).toEqual(CLEAN);
    expect(await fleet.show(id)).toMatchObject({ cluster: 'main', tier: to, status: 'active' });
    await finishMove(fleet.again(), { ...(await fleet.move(id)) });
  },
  120_000,
);

test.each([
  ['source', 'other', 'main', 'database'],
  ['target', 'main', 'other', 'schema'],
  ['target', 'main', 'other', 'pool'],
] as const)(
  'a %s server that is restarted in the midst of the rows (from %s to %s, %s) stops the move, which then goes on',
  async (end, from, to, tier) => {
    const id = `midst-${end}-${tier}`;
    const writer = await writingTenant(id, 'schema', from);
    let stopped: Promise<unknown> | undefined;
    const process = new Fleet(fleet.settings, {
      ...fleet.fleet.options,
      emit: (event) => {
        if (event.type === 'move.progress' && event.rows > 0) stopped ??= other.current.stop();
      },
    });
    const moving = promote(process, { id, to: tier, cluster: to, method: 'online' }, { dryRun: false });
    const error = await moving.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    await process.close();
    expect(error).toMatchObject({ exit: 4 });
    expect(await backAndOn(id, stopped)).toBe('grace');
    expect(await fleet.compared(id, writer)).toEqual(CLEAN);
    expect(await fleet.show(id)).toMatchObject({ cluster: to, tier, status: 'active' });
    await finishMove(fleet.again(), { ...(await fleet.move(id)) });
  },
  120_000,
);
