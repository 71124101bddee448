import type { Connection } from '../../pg/connection.js';
import type { CopyFormat } from '../../pg/copy-format.js';
import { type Piece, type PieceSize, readPieces } from '../../pg/copy-pieces.js';
import { type CopyJob, nowAndThen } from './copy-job.js';
import { type Stage, rowsOf } from './stages.js';

/** How much is written without a rest, and in which format it comes. */
export interface Pieces extends PieceSize {
  format: CopyFormat;
}

/**
 * Copies a table some thousand rows at a time and rests in between, as neighbours need it: only what the target has
 * answered for is done, while whatever is merely sent waits in the buffers on the way and is written during the rest. A piece
 * is read while the one before it is written.
 * @param source holds the snapshot
 * @param write writes one piece, in a transaction of the caller's
 * @returns the number of rows
 */
export async function copyInPieces(
  job: CopyJob,
  stage: Stage,
  source: Connection,
  { format, ...size }: Pieces,
  write: (piece: Piece) => Promise<void>,
): Promise<number> {
  const breathe = nowAndThen(job);
  let rows = 0;
  let writing = Promise.resolve();
  const take = async (piece: Piece): Promise<void> => {
    await writing;
    await breathe();
    writing = job.paced(() => write(piece));
    // Its failure is told by whoever waits for it next.
    writing.catch(() => undefined);
    rows += piece.rows;
    job.onRows(stage.source.name, piece.rows);
  };
  try {
    await readPieces(source, rowsOf(job.from, stage), format, size, take);
  } finally {
    await writing;
  }
  return rows;
}
