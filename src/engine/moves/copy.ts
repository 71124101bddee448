import type { Connection } from '../../pg/connection.js';
import { copyRows } from '../../pg/copy.js';
import { literal, raw } from '../../pg/sql.js';
import { copyInOrder } from './copy-in-order.js';
import { type CopyJob, nowAndThen } from './copy-job.js';
import { inSide } from '../rows/side.js';
import { type Stage, rowsOf } from './stages.js';

/** A session that holds a snapshot for others is idle: it says so before the server ends it. */
const SIGN_OF_LIFE_MS = 60_000;
/** How long a copy works without a rest. */
const REST_EVERY_MS = 50;

/**
 * Copies every table that is not copied yet. Writers go on: the gate's marks name what changes meanwhile. All tables of
 * one call are read in one exported snapshot.
 * @returns the number of rows
 */
export async function copyTables(job: CopyJob): Promise<number> {
  const open = job.stages.filter(({ source }) => !job.done.has(source.name));
  if (open.length === 0) return 0;
  return inSide(job.fleet, job.from, job.move, (keeper) =>
    keeper.transaction(async () => {
      const snapshot = await exportSnapshot(keeper);
      const timer = setInterval(
        () => void keeper.rows(raw('select 1')).catch(() => undefined),
        SIGN_OF_LIFE_MS,
      );
      try {
        return await (job.receiver.order === null
          ? copyInLanes(job, open, snapshot)
          : copyInOrder(job, await job.receiver.order(job.session), keeper));
      } finally {
        clearInterval(timer);
      }
    }, 'begin isolation level repeatable read read only'),
  );
}

async function exportSnapshot(keeper: Connection): Promise<string> {
  const row = await keeper.row<{ snapshot: string }>(raw('select pg_export_snapshot() as snapshot'));
  return (row as { snapshot: string }).snapshot;
}

/** Tables one after the other in each lane, side by side in several. */
async function copyInLanes(job: CopyJob, open: readonly Stage[], snapshot: string): Promise<number> {
  const queue = [...open];
  let rows = 0;
  const lane = (): Promise<void> =>
    inSide(job.fleet, job.from, job.move, (source) =>
      inSide(job.fleet, job.to, job.move, (target) =>
        inSnapshot(source, snapshot, async () => {
          for (let stage = queue.shift(); stage !== undefined; stage = queue.shift()) {
            const copied = await copyTable(job, stage, source, target);
            rows += copied;
            await job.onTable(stage.source.name, copied);
          }
        }),
      ),
    );
  await allOrFirstFailure(Array.from({ length: Math.min(job.lanes, open.length) }, lane), () =>
    queue.splice(0),
  );
  return rows;
}

function inSnapshot(session: Connection, snapshot: string, work: () => Promise<void>): Promise<void> {
  const begin = `begin isolation level repeatable read read only; set transaction snapshot ${literal(snapshot)}`;
  return session.transaction(work, begin);
}

/** When one lane fails, the others end their table and take no other; then the failure is told. */
async function allOrFirstFailure(lanes: readonly Promise<void>[], stop: () => unknown): Promise<void> {
  const watched = lanes.map((lane) =>
    lane.catch((error: unknown) => {
      stop();
      throw error;
    }),
  );
  const outcomes = await Promise.allSettled(watched);
  const failure = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
}

async function copyTable(
  job: CopyJob,
  stage: Stage,
  source: Connection,
  target: Connection,
): Promise<number> {
  const { name } = stage.source;
  let rested = performance.now();
  const breathe = nowAndThen(job);
  await breathe();
  const pass = async (rows: number): Promise<void> => {
    job.onRows(name, rows);
    const worked = performance.now() - rested;
    if (worked < REST_EVERY_MS) return;
    await job.rest(worked);
    await breathe();
    rested = performance.now();
  };
  return copyRows(source, rowsOf(job.from, stage), target, job.receiver.copyInto(stage), pass);
}
