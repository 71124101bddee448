import { pipeline } from 'node:stream/promises';
import type { Connection } from './connection.js';
import type { Sql } from './sql.js';

const LINE_FEED = 0x0a;

/**
 * Pipes rows from one session to another in COPY's text format, which no value type has to be known for.
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
  const reading = source.copyOut(`copy (${query.text()}) to stdout`);
  const writing = target.copyIn(`copy ${into.text()} from stdin`);
  try {
    await pipeline(reading, counting(onRows), writing);
  } catch (error) {
    throw target.translate(source.translate(error));
  }
  return writing.rowCount ?? 0;
}

/** Lets chunks pass one by one. In the text format a line feed ends a row and stands nowhere else. */
function counting(onRows: (rows: number) => void | Promise<void>) {
  return async function* count(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      let rows = 0;
      for (let at = chunk.indexOf(LINE_FEED); at >= 0; at = chunk.indexOf(LINE_FEED, at + 1)) rows += 1;
      await onRows(rows);
      yield chunk;
    }
  };
}
