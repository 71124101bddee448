import { finished } from 'node:stream/promises';
import type { Connection } from './connection.js';
import { reading } from './copy.js';
import type { CopyFormat } from './copy-format.js';
import type { Sql } from './sql.js';

/** Whole rows, as one COPY takes them. */
export interface Piece {
  format: CopyFormat;
  rows: number;
  bytes: number;
  chunks: Buffer[];
}

/** A piece has so many rows at most, and ends with the first row that makes it so many bytes. */
export type PieceSize = Pick<Piece, 'rows' | 'bytes'>;

/**
 * Reads the rows of a query a few at a time.
 * @param take the next piece is read when it is through
 */
export async function readPieces(
  source: Connection,
  query: Sql,
  format: CopyFormat,
  largest: PieceSize,
  take: (piece: Piece) => Promise<void>,
): Promise<void> {
  await reading(source, query, format, async (chunks) => {
    for await (const piece of piecesOf(chunks, format, largest)) await take(piece);
  }).catch((error: unknown) => {
    throw source.translate(error);
  });
}

/** Writes one piece, in a transaction of the caller's. */
export async function writePiece(target: Connection, into: Sql, piece: Piece): Promise<void> {
  const writing = target.copyIn(`copy ${into.text()} from stdin (format ${piece.format.name})`);
  for (const chunk of piece.chunks) writing.write(chunk);
  writing.end();
  await finished(writing).catch((error: unknown) => {
    throw target.translate(error);
  });
}

/** Cuts what one COPY sends; what stands before and behind all rows is put before and behind those of each piece. */
export async function* piecesOf(
  chunks: AsyncIterable<Buffer>,
  format: CopyFormat,
  largest: PieceSize,
): AsyncGenerator<Piece> {
  const ends = format.rowEnds();
  let piece: Piece = { format, rows: 0, bytes: 0, chunks: [] };
  for await (const chunk of chunks) {
    let begin = 0;
    for (let end = ends.next(chunk, 0); end >= 0; end = ends.next(chunk, end)) {
      piece.rows += 1;
      if (piece.rows < largest.rows && piece.bytes + end - begin < largest.bytes) continue;
      add(piece, chunk.subarray(begin, end));
      add(piece, format.tail);
      begin = end;
      yield piece;
      piece = { format, rows: 0, bytes: 0, chunks: [] };
      add(piece, format.head);
    }
    add(piece, chunk.subarray(begin));
  }
  if (piece.rows > 0) yield piece;
}

function add(piece: Piece, part: Buffer): void {
  if (part.length === 0) return;
  piece.chunks.push(part);
  piece.bytes += part.length;
}
