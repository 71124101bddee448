import type { Connection } from '../../pg/connection.js';
import { type Piece, copyRows, readPieces, writePiece } from '../../pg/copy.js';
import { raw, sql } from '../../pg/sql.js';
import { inSide } from '../rows/side.js';
import { type CopyJob, nowAndThen } from './copy-job.js';
import type { CopyStep } from './receiver.js';
import { type Stage, emptyStaged, prepareForPieces, rowsOf } from './stages.js';

/** What a session of ours holds in memory, and others wait for at most. */
const PIECE = { rows: 5_000, bytes: 1 << 20 };

/** A session of the target's that writes one piece at a time. */
interface Worker {
  session: Connection;
  /** Rejects when its last piece could not be written. */
  idle: Promise<void>;
}

/**
 * Copies into a home that is in use: rows after those that they refer to, some thousand a transaction. Several sessions
 * write them, as what takes long is looking up what each row refers to.
 * @param source holds the snapshot
 * @returns the number of rows
 */
export function copyInOrder(job: CopyJob, steps: readonly CopyStep[], source: Connection): Promise<number> {
  return withWorkers(job, job.lanes, async (workers) => {
    let rows = 0;
    for (const { stages, whole } of steps) {
      const counts = whole
        ? await copyAtOnce(job, stages, source)
        : [await copyInPieces(job, stages[0] as Stage, source, workers)];
      for (const [n, stage] of stages.entries()) await job.onTable(stage.source.name, counts[n] ?? 0);
      rows += counts.reduce((sum, count) => sum + count, 0);
    }
    await makeDurable(job);
    return rows;
  });
}

function withWorkers<T>(
  job: CopyJob,
  count: number,
  work: (workers: Worker[]) => Promise<T>,
  there: Worker[] = [],
): Promise<T> {
  if (count === 0) return work(there);
  return inSide(job.fleet, job.to, job.move, async (session) => {
    // Neighbours do not wait for the disk with us: what is copied is sure with the commit that ends the copy.
    await session.execute(raw('set synchronous_commit = off'));
    return withWorkers(job, count - 1, work, [...there, { session, idle: Promise.resolve() }]);
  });
}

/** Tables whose rows refer to each other: staged one by one, written in one statement. */
async function copyAtOnce(job: CopyJob, stages: readonly Stage[], source: Connection): Promise<number[]> {
  const counts: number[] = [];
  for (const stage of stages) {
    await job.breathe();
    const pass = (rows: number): void => job.onRows(stage.source.name, rows);
    counts.push(
      await copyRows(source, rowsOf(job.from, stage), job.session, job.receiver.copyInto(stage), pass),
    );
  }
  await job.session.transaction(() => job.receiver.take(job.session, stages));
  await job.session.execute(emptyStaged(stages));
  return counts;
}

async function copyInPieces(
  job: CopyJob,
  stage: Stage,
  source: Connection,
  workers: Worker[],
): Promise<number> {
  let rows = 0;
  const breathe = nowAndThen(job);
  for (const { session } of workers) await prepareForPieces(session, job.to, stage);
  try {
    await readPieces(
      source,
      rowsOf(job.from, stage),
      () => PIECE,
      async (piece) => {
        await breathe();
        const worker = await nextIdle(workers);
        worker.idle = write(job, stage, worker.session, piece);
        // Its failure is told by whoever waits for it next.
        worker.idle.catch(() => undefined);
        rows += piece.rows;
      },
    );
  } finally {
    await Promise.allSettled(workers.map(({ idle }) => idle));
  }
  await Promise.all(workers.map(({ idle }) => idle));
  return rows;
}

async function nextIdle(workers: Worker[]): Promise<Worker> {
  return Promise.race(workers.map(async (worker) => worker.idle.then(() => worker)));
}

async function write(job: CopyJob, stage: Stage, session: Connection, piece: Piece): Promise<void> {
  const began = performance.now();
  await session.transaction(async () => {
    await writePiece(session, job.receiver.copyInto(stage), piece);
    await job.receiver.take(session, [stage]);
  });
  job.onRows(stage.source.name, piece.rows);
  await job.rest(performance.now() - began);
}

/** Nothing is on its way to the disk any more when this returns, as the log is written in order. */
async function makeDurable({ session, move, to }: CopyJob): Promise<void> {
  await session.execute(
    sql`update tenantctl.move set driver = driver where move = ${move} and side = ${to.name}`,
  );
}
