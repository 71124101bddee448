import { pipeline } from 'node:stream/promises';
import type { Writable } from 'node:stream';
import { create } from 'tar';

/** Writes a folder as a tar, which holds one folder of that name; owners and times of this machine are left out. */
export async function packTar(directory: string, name: string, out: Writable): Promise<void> {
  const packed = create({ cwd: directory, prefix: name, portable: true, mtime: new Date(0) }, ['.']);
  await pipeline(packed as unknown as AsyncIterable<Buffer>, out, { end: false });
}
