import { finished, pipeline } from 'node:stream/promises';
import type { Connection } from './connection.js';
import type { Sql } from './sql.js';

const LINE_FEED = 0x0a;

/**
 * Pipes rows from one session to another in COPY's text format, which no value type has to be known for. When the
 * target fails in the midst of it the source's session is given up: nobody reads what it is still sending.
 * @param query what to read, as the source knows it
 * @param into `table (columns)`, as the target knows it
 * @param onRows told how many rows have passed since it was last told; the stream waits for it
 * @returns the number of rows that the target has taken
 */
export async function copyRows(
  source: Connection,
  query: Sql,
  target: Connection,
  into: Sql,
  onRows: (rows: number) => void | Promise<void> = () => undefined,
): Promise<number> {
  let taken = 0;
  try {
    await reading(source, query, async (chunks) => {
      const writing = target.copyIn(`copy ${into.text()} from stdin`);
      await pipeline(counted(chunks, onRows), writing);
      taken = writing.rowCount ?? 0;
    });
  } catch (error) {
    throw target.translate(source.translate(error));
  }
  return taken;
}

/** Rows in COPY's text format, whole ones. */
export interface Piece {
  rows: number;
  bytes: number;
  chunks: Buffer[];
}

/**
 * Reads the rows of a query a few at a time.
 * @param largest asked before each piece: how many rows it has at most; it also ends with the first row beyond so many bytes
 * @param take the next piece is read when it is through
 */
export async function readPieces(
  source: Connection,
  query: Sql,
  largest: () => Pick<Piece, 'rows' | 'bytes'>,
  take: (piece: Piece) => Promise<void>,
): Promise<void> {
  await reading(source, query, async (chunks) => {
    for await (const piece of piecesOf(chunks, largest)) await take(piece);
  }).catch((error: unknown) => {
    throw source.translate(error);
  });
}

/** Writes one piece, in a transaction of the caller's. */
export async function writePiece(target: Connection, into: Sql, piece: Piece): Promise<void> {
  const writing = target.copyIn(`copy ${into.text()} from stdin`);
  for (const chunk of piece.chunks) writing.write(chunk);
  writing.end();
  await finished(writing).catch((error: unknown) => {
    throw target.translate(error);
  });
}

/** In the text format a line feed ends a row and stands nowhere else. */
export async function* piecesOf(
  chunks: AsyncIterable<Buffer>,
  largest: () => Pick<Piece, 'rows' | 'bytes'>,
): AsyncGenerator<Piece> {
  let limit = largest();
  let piece: Piece = { rows: 0, bytes: 0, chunks: [] };
  for await (const chunk of chunks) {
    let begin = 0;
    for (let at = chunk.indexOf(LINE_FEED); at >= 0; at = chunk.indexOf(LINE_FEED, at + 1)) {
      piece.rows += 1;
      if (piece.rows < limit.rows && piece.bytes + at + 1 - begin < limit.bytes) continue;
      add(piece, chunk.subarray(begin, at + 1));
      begin = at + 1;
      yield piece;
      limit = largest();
      piece = { rows: 0, bytes: 0, chunks: [] };
    }
    add(piece, chunk.subarray(begin));
  }
  if (piece.bytes > 0) yield piece;
}

function add(piece: Piece, part: Buffer): void {
  if (part.length === 0) return;
  piece.chunks.push(part);
  piece.bytes += part.length;
}

/** Whoever stops before the end leaves a server that sends and a session that waits for it: it is ended then. */
async function reading(
  source: Connection,
  query: Sql,
  work: (chunks: AsyncIterable<Buffer>) => Promise<void>,
): Promise<void> {
  const rows = source.copyOut(`copy (${query.text()}) to stdout`);
  let refused = false;
  rows.once('error', () => (refused = true));
  try {
    await work(rows.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>);
  } catch (error) {
    if (!refused && !rows.readableEnded) source.abandon();
    throw error;
  }
}

/** Lets chunks pass one by one. */
async function* counted(
  chunks: AsyncIterable<Buffer>,
  onRows: (rows: number) => void | Promise<void>,
): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    let rows = 0;
    for (let at = chunk.indexOf(LINE_FEED); at >= 0; at = chunk.indexOf(LINE_FEED, at + 1)) rows += 1;
    await onRows(rows);
    yield chunk;
  }
}
