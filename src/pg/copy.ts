import { pipeline } from 'node:stream/promises';
import type { Connection } from './connection.js';
import { type CopyFormat, TEXT } from './copy-format.js';
import type { Sql } from './sql.js';

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
    await reading(source, query, TEXT, async (chunks) => {
      const writing = target.copyIn(`copy ${into.text()} from stdin`);
      await pipeline(counted(chunks, onRows), writing);
      taken = writing.rowCount ?? 0;
    });
  } catch (error) {
    throw target.translate(source.translate(error));
  }
  return taken;
}

/**
 * Passes on what COPY sends of a query. Whoever stops before the end leaves a server that sends and a session that waits
 * for it: it is ended then.
 */
export async function reading(
  source: Connection,
  query: Sql,
  format: CopyFormat,
  work: (chunks: AsyncIterable<Buffer>) => Promise<void>,
): Promise<void> {
  const rows = source.copyOut(`copy (${query.text()}) to stdout (format ${format.name})`);
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
  const ends = TEXT.rowEnds();
  for await (const chunk of chunks) {
    let rows = 0;
    for (let end = ends.next(chunk, 0); end >= 0; end = ends.next(chunk, end)) rows += 1;
    await onRows(rows);
    yield chunk;
  }
}
