import { shortId } from '../../core/short-id.js';
import { copiedTables, moveTableUpsert } from '../../engine/catalog/moves.js';
import { strainOn, throttles } from '../../engine/waves/throttle.js';
import { pause } from '../../core/pause.js';
import { copyTables } from '../../engine/moves/copy.js';
import { installGuards } from '../../engine/moves/guards.js';
import { onBothSides } from '../../engine/rows/side.js';
import { type Stream, cycle } from '../../engine/moves/sync.js';
import { compareSums, differs, foreignRows } from '../../engine/moves/verify.js';
import { type TableSum, sumTables } from '../../engine/rows/sums.js';
import { assertGoingOn } from './interruption.js';
import { withBrake } from './brake.js';
import { cutOver } from './cut-over.js';
import type { Drive } from './drive.js';
import { assertFollowed, withStream } from './stream.js';

/** Sessions that copy side by side, where both servers allow so many. */
const COPY_LANES = 2;
/** Held beside them: one session in either home, one that keeps the snapshot, one that asks whether to wait or rest. */
const HELD_IN_ALL = 4;
const HELD_BY_ONE_END = 3;
const LOOK_AGAIN_MS = 2_000;
/** Comparing fewer takes half a second at most, and resting meanwhile would only make it longer. */
const MANY_ROWS = 250_000;

/** Copies, follows the writes, proves that both homes are equal, and lets the tenant go over. */
export async function travel(drive: Drive): Promise<void> {
  const { source, target } = drive;
  if (drive.move.state === 'prepared') await drive.step('copying');
  await withStream(drive, source, target, async (stream) => {
    await assertFollowed(stream);
    // What was compared before this process came may have been changed by hand since.
    if (drive.move.state === 'verified') await drive.step('syncing');
    await stream.to.receiver.makeReady(stream.to.session);
    if (drive.move.state === 'copying') await copy(drive, stream);
    await guardTarget(stream);
    if (drive.move.state === 'syncing') await verify(drive, stream);
    await stream.to.receiver.gatherStatistics(stream.to.session);
    await cutOver(drive, stream);
  });
}

async function copy(drive: Drive, stream: Stream): Promise<void> {
  const { fleet, id, source, target } = drive;
  const began = performance.now();
  const { receiver, session } = stream.to;
  const done =
    receiver.order === null
      ? await fleet.catalog((connection) => copiedTables(connection, id))
      : new Set<string>();
  // One that was copied without being noted is copied again.
  await receiver.empty(
    session,
    stream.stages.filter(({ source: { name } }) => !done.has(name)),
  );
  drive.say(`copies ${stream.stages.length - done.size} tables while the tenant writes`);
  let copied = 0;
  const job = {
    fleet,
    move: id,
    from: source.side,
    to: target.side,
    receiver,
    stages: stream.stages,
    session,
    lanes: lanesOf(drive),
    done,
    breathe: () => breathe(drive),
    onRows: (table: string, rows: number) => {
      copied += rows;
      fleet.emit({ type: 'move.progress', move: id, table, rows: copied, total: null });
    },
    onTable: async (table: string, rows: number) => {
      await fleet.catalog((connection) =>
        connection.execute(moveTableUpsert(id, table, 'copied', rows, null)),
      );
      fleet.reach('move.table-copied');
    },
  };
  await withBrake(drive, stream, (paced) => copyTables({ ...job, paced }));
  fleet.reach('move.copied');
  await drive.step('syncing', {
    copyMs: Math.round(performance.now() - began),
    rows: drive.move.rows + copied,
  });
}

/** Waits while one of the two clusters is under more strain than `rollout.throttle` allows. */
async function breathe({ fleet, source, target, id }: Drive): Promise<void> {
  const { throttle } = fleet.settings.rollout;
  assertGoingOn(fleet);
  if (!throttles(throttle)) return;
  const clusters = new Set([source.home.placement.cluster, target.home.placement.cluster]);
  for (;;) {
    const reason = await strainOn(fleet, clusters, throttle);
    if (reason === null) return;
    fleet.emit({
      type: 'notice',
      level: 'info',
      code: 'MOVE_THROTTLED',
      message: `move ${shortId(id)} waits: ${reason}`,
    });
    await pause(LOOK_AGAIN_MS, fleet.signal);
    assertGoingOn(fleet);
  }
}

/** Both ends of each lane, and the sessions that the move holds anyway, must fit the budgets of server and database. */
function lanesOf({ fleet, source, target }: Drive): number {
  const [from, to] = [source.home.placement, target.home.placement];
  const [here, there] = [fleet.cluster(from.cluster), fleet.cluster(to.cluster)];
  const sameServer = from.cluster === to.cluster;
  const sameDatabase = sameServer && from.database === to.database;
  const lanes = Math.min(
    lanesIn(sameServer, here.maxConnections, there.maxConnections),
    lanesIn(sameDatabase, here.maxPerDatabase, there.maxPerDatabase),
  );
  return Math.max(1, Math.min(COPY_LANES, lanes));
}

/** @param shared whether the two ends of a lane are taken from one budget */
function lanesIn(shared: boolean, here: number, there: number): number {
  return shared ? Math.floor((here - HELD_IN_ALL) / 2) : Math.min(here, there) - HELD_BY_ONE_END;
}

/** From here on whatever is written at the new home is marked as well: by the tenant after the flip, by nobody before it. */
export function guardTarget({ move, to, stages }: Stream): Promise<void> {
  const tables = stages.map(({ target }) => target);
  return installGuards(to.session, to.side, move, tables);
}

/** Compares every row of both homes at one moment, while writes go on. */
async function verify(drive: Drive, stream: Stream): Promise<void> {
  const { fleet } = drive;
  // The changes since the copy come first, so that the snapshot of the comparison is held as briefly as may be.
  await cycle(stream);
  drive.say('compares every row of both homes');
  let sums: TableSum[] = [];
  await cycle(stream, async () => {
    sums = await equalSums(stream, drive.move.rows > MANY_ROWS);
  });
  const { changes, statements } = proofOf(drive.id, sums);
  await drive.step('verified', changes, statements);
  fleet.reach('move.verified');
}

/** What is written down of a comparison that has found both homes equal. */
export function proofOf(move: string, sums: readonly TableSum[]) {
  const rows = sums.reduce((sum, table) => sum + table.rows, 0);
  return {
    changes: { verified: true, rows },
    statements: sums.map(({ table, rows: n, hash }) => moveTableUpsert(move, table, 'verified', n, hash)),
  };
}

/**
 * Rows and hashes of all tables, which are the same in both homes.
 * @param rests whether neighbours come first, while nobody waits for the comparison
 * @throws difference error `MOVE_DIFFERS` (exit 8)
 */
export async function equalSums({ from, to, stages }: Stream, rests = false): Promise<TableSum[]> {
  const [tables, twins] = [stages.map((stage) => stage.source), stages.map((stage) => stage.target)];
  const [here, { there, foreign }] = await onBothSides(from.session, to.session, [
    () => sumTables(from.session, from.side, tables, rests),
    async () => ({
      there: await sumTables(to.session, to.side, twins, rests),
      foreign: await foreignRows(to.session, to.side, twins),
    }),
  ]);
  compareSums(here, there);
  if (foreign !== undefined) throw differs(foreign, 'it holds rows of another tenant at the new home');
  return here;
}
