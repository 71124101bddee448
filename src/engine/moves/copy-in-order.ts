import type { Connection } from '../../pg/connection.js';
import { type Piece, copyRows, readPieces, writePiece } from '../../pg/copy.js';
import { inSide } from '../rows/side.js';
import { type CopyJob, nowAndThen } from './copy-job.js';
import type { CopyStep } from './receiver.js';
import { type Stage, emptyStaged, prepareForPieces, rowsOf } from './stages.js';

/** What a session of ours holds in memory, and writes without a rest. */
const PIECE = { rows: 20_000, bytes: 4 << 20 };

/**
 * Copies into a home that is in use: rows after those that they refer to, some ten thousand at a time, so that neighbours
 * can be made room for. One transaction a table and one session for all: each row locks those that it refers to, and of
 * a row that another transaction has locked the server keeps a list.
 * @param source holds the snapshot
 * @returns the number of rows
 */
export function copyInOrder(job: CopyJob, steps: readonly CopyStep[], source: Connection): Promise<number> {
  return inSide(job.fleet, job.to, job.move, async (target) => {
    let rows = 0;
    for (const { stages, whole } of steps) {
      const counts = whole
        ? await copyAtOnce(job, stages, source)
        : [await copyInPieces(job, stages[0] as Stage, source, target)];
      for (const [n, stage] of stages.entries()) await job.onTable(stage.source.name, counts[n] ?? 0);
      rows += counts.reduce((sum, count) => sum + count, 0);
    }
    return rows;
  });
}

/** Tables whose rows refer to each other: staged one by one, written in one statement. */
async function copyAtOnce(job: CopyJob, stages: readonly Stage[], source: Connection): Promise<number[]> {
  const { session, receiver } = job;
  const counts: number[] = [];
  for (const stage of stages) {
    await job.breathe();
    const pass = (rows: number): void => job.onRows(stage.source.name, rows);
    counts.push(await copyRows(source, rowsOf(job.from, stage), session, receiver.copyInto(stage), pass));
  }
  await session.transaction(() => receiver.take(session, stages));
  await session.execute(emptyStaged(stages));
  return counts;
}

/** A piece is read while the one before it is written. */
async function copyInPieces(
  job: CopyJob,
  stage: Stage,
  source: Connection,
  target: Connection,
): Promise<number> {
  const breathe = nowAndThen(job);
  let rows = 0;
  let writing = Promise.resolve();
  const take = async (piece: Piece): Promise<void> => {
    await writing;
    await breathe();
    writing = write(job, stage, target, piece);
    // Its failure is told by whoever waits for it next.
    writing.catch(() => undefined);
    rows += piece.rows;
  };
  await target.transaction(async () => {
    await prepareForPieces(target, job.to, stage);
    try {
      await readPieces(source, rowsOf(job.from, stage), () => PIECE, take);
    } finally {
      await writing;
    }
  });
  return rows;
}

async function write(job: CopyJob, stage: Stage, target: Connection, piece: Piece): Promise<void> {
  const began = performance.now();
  await writePiece(target, job.receiver.copyInto(stage), piece);
  await job.receiver.take(target, [stage]);
  await target.execute(emptyStaged([stage]));
  job.onRows(stage.source.name, piece.rows);
  await job.rest(performance.now() - began);
}
