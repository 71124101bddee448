import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import type { DataFormat } from '../../core/export-manifest.js';
import { rowCounter } from './count-rows.js';
import type { Findings } from './report.js';
import type { StoredFile } from './tag-text.js';

/**
 * The plain files of a folder by their paths within it. Links and the like are told and never followed, for they may
 * lead anywhere.
 */
export async function listFiles(directory: string, findings: Findings): Promise<string[]> {
  const files: string[] = [];
  const look = async (folder: string): Promise<void> => {
    for (const name of (await readdir(path.join(directory, folder))).toSorted()) {
      const file = folder === '' ? name : `${folder}/${name}`;
      const found = await lstat(path.join(directory, file));
      if (found.isDirectory()) await look(file);
      else if (found.isFile()) files.push(file);
      else findings.add(file, 'unsafe', 'it is a link or a device, not a plain file; it was not read');
    }
  };
  await look('');
  return files;
}

/** Length and sum of a file as it is stored. */
export async function sumFile(directory: string, file: string): Promise<StoredFile> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of createReadStream(path.join(directory, file)) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { file, bytes, sha256: hash.digest('hex') };
}

/** How many rows a file of a table holds; `torn` when it ends in the middle of one, or cannot be unpacked. */
export async function countRows(
  directory: string,
  file: string,
  format: DataFormat,
): Promise<{ rows: number; torn: boolean }> {
  const counter = rowCounter(format);
  const count = async (chunks: AsyncIterable<Buffer>): Promise<void> => {
    for await (const chunk of chunks) counter.add(chunk);
  };
  const stored = createReadStream(path.join(directory, file));
  try {
    if (file.endsWith('.gz')) await pipeline(stored, createGunzip(), count);
    else await pipeline(stored, count);
  } catch {
    return { ...counter.result(), torn: true };
  }
  return counter.result();
}
