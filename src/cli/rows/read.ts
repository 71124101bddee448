import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import { Readable } from 'node:stream';
import { usageError } from '../../core/errors.js';
import type { Io } from '../io.js';
import type { RawRow } from './columns.js';
import { readCsv } from './csv.js';
import { readNdjson } from './ndjson.js';

/**
 * The rows of a CSV or NDJSON file, or of stdin (`-`), as a stream: the file may hold more tenants
 * than memory. What begins with `{` is NDJSON.
 * @param columns the columns that rows may have beside labels
 * @throws usage error `ROWS_UNREADABLE` or `ROWS_HEADER` (exit 2) when no row can be read at all
 */
export async function* readRows(from: string, io: Io, columns: readonly string[]): AsyncGenerator<RawRow> {
  const { first, all } = await peek(readChunks(from, io));
  yield* first.trimStart().startsWith('{') ? readNdjson(all, columns) : readCsv(all, from, columns);
}

async function* readChunks(from: string, io: Io): AsyncGenerator<string> {
  const source: Readable = from === '-' ? io.stdin : createReadStream(resolve(io.cwd, from));
  source.setEncoding('utf8');
  try {
    for await (const chunk of source) yield chunk as string;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw usageError('ROWS_UNREADABLE', `--from: cannot read ${from}: ${reason}`, {
      hint: 'Name a CSV or NDJSON file that is there and that you may read; "-" is stdin.',
      facts: { option: '--from' },
      cause,
    });
  }
}

/** The beginning of a stream of text, and the whole of it from the beginning. */
async function peek(chunks: AsyncGenerator<string>): Promise<{ first: string; all: Readable }> {
  let first = '';
  while (first.trim() === '') {
    const next = await chunks.next();
    if (next.done === true) break;
    first += next.value;
  }
  return { first: first.replace(/^\uFEFF/, ''), all: Readable.from(rejoin(first, chunks)) };
}

async function* rejoin(first: string, rest: AsyncGenerator<string>): AsyncGenerator<string> {
  yield first;
  yield* rest;
}
