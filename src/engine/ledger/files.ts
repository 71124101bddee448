import { createHash } from 'node:crypto';
import { listDirectory } from '../formats/directory.js';
import type { MigrationFile } from '../formats/format.js';
import { numbersIn } from '../formats/postgres-migrations.js';

/** The ids in a directory of our own migrations, without reading a file. */
export async function listMigrationIds(directory: string): Promise<number[]> {
  return numbersIn(await listDirectory(directory));
}

/** One digest over a set of migrations: equal sets have equal digests. */
export function digestOf(files: readonly MigrationFile[]): string {
  const hash = createHash('sha256');
  for (const file of files) hash.update(`${file.id} ${file.name} ${file.checksum}\n`);
  return hash.digest('hex');
}
