import type { Connection } from '../../pg/connection.js';
import { copyRows } from '../../pg/copy.js';
import { writePiece } from '../../pg/copy-pieces.js';
import { formatOf } from '../rows/row-format.js';
import { inSide } from '../rows/side.js';
import type { CopyJob } from './copy-job.js';
import { copyInPieces } from './pieces.js';
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
    // Whatever it fails of the first cycle will meet again.
    const rehearsal = job.receiver.rehearse(job.session).catch(() => undefined);
    let rows = 0;
    try {
      for (const { stages, whole } of steps) {
        if (whole) await rehearsal;
        const counts = whole
          ? await copyAtOnce(job, stages, source)
          : [await copyOne(job, stages[0] as Stage, source, target)];
        for (const [n, stage] of stages.entries()) await job.onTable(stage.source.name, counts[n] ?? 0);
        rows += counts.reduce((sum, count) => sum + count, 0);
      }
    } finally {
      // Nobody is given a session that is still at work.
      await rehearsal;
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

/** One table, in one transaction. */
async function copyOne(job: CopyJob, stage: Stage, source: Connection, target: Connection): Promise<number> {
  await job.breathe();
  return target.transaction(async () => {
    await prepareForPieces(target, job.to, stage);
    const pieces = { ...PIECE, format: formatOf(stage.source, stage.target, source, target) };
    return copyInPieces(job, stage, source, pieces, async (piece) => {
      await writePiece(target, job.receiver.copyInto(stage), piece);
      await job.receiver.take(target, [stage]);
      await target.execute(emptyStaged([stage]));
    });
  });
}
