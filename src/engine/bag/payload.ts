import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { StoredFile } from './tag-text.js';

/** So much may wait for a slow disk. */
const WAITING_BYTES = 1_048_576;

/**
 * Writes a stream to a new file, on the disk when this returns, and sums it up on its way.
 * @param onChunk sees what has come, before it is compressed; it may throw to end the work
 * @throws whatever the stream fails with, or else the error of the file system
 */
export async function writeStream(
  file: string,
  source: AsyncIterable<Buffer>,
  gzip: boolean,
  onChunk: (chunk: Buffer) => void,
): Promise<Omit<StoredFile, 'file'>> {
  const hash = createHash('sha256');
  let bytes = 0;
  async function* sum(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      hash.update(chunk);
      bytes += chunk.length;
      yield chunk;
    }
  }
  const sink = createWriteStream(file, {
    flags: 'wx',
    mode: 0o600,
    flush: true,
    highWaterMark: WAITING_BYTES,
  });
  const chunks = told(source, onChunk);
  if (gzip) await pipeline(chunks, createGzip(), sum, sink);
  else await pipeline(chunks, sum, sink);
  return { bytes, sha256: hash.digest('hex') };
}

async function* told(
  source: AsyncIterable<Buffer>,
  onChunk: (chunk: Buffer) => void,
): AsyncGenerator<Buffer> {
  for await (const chunk of source) {
    onChunk(chunk);
    yield chunk;
  }
}
