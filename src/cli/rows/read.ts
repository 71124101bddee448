import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import { Readable } from 'node:stream';
import { usageError } from '../../core/errors.js';
import type { ProvisionRequest } from '../../operations/provision.js';
import type { ProvisionRow } from '../../operations/provision-many.js';
import type { Io } from '../io.js';
import { readCsv } from './csv.js';
import { readNdjson } from './ndjson.js';
import { toRequest } from './request.js';

/**
 * The rows of a CSV or NDJSON file, or of stdin (`-`), as a stream: the file may hold more tenants
 * than memory. What begins with `{` is NDJSON.
 * @throws usage error `ROWS_UNREADABLE` or `ROWS_HEADER` (exit 2) when no row can be read at all
 */
export async function* readTenantRows(
  from: string,
  io: Io,
  defaults: Omit<ProvisionRequest, 'id'>,
): AsyncGenerator<ProvisionRow> {
  const chunks = readChunks(from, io);
  const { first, all } = await peek(chunks);
  const rows = first.trimStart().startsWith('{') ? readNdjson(all) : readCsv(all, from);
  for await (const row of rows) {
    yield 'problem' in row ? row : toRequest(row, defaults);
  }
}

async function* readChunks(from: string, io: Io): AsyncGenerator<string> {
  const source: Readable = from === '-' ? io.stdin : createReadStream(resolve(io.cwd, from));
  source.setEncoding('utf8');
  try {
    for await (const chunk of source) yield chunk as string;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw usageError('ROWS_UNREADABLE', `--from: cannot read ${from}: ${reason}`, {
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
