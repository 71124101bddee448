import path from 'node:path';
import { listDirectory, refuseProblems, withoutMark } from './directory.js';
import type { Listing, MigrationFile, MigrationFormat } from './format.js';
import { sha256 } from './sections.js';

const LOCK = 'migration_lock.toml';
const SCRIPT = 'migration.sql';

/**
 * `20230404095503_add_note/migration.sql`, in order of the folders' names; the checksum is sha256 of the
 * text. Prisma sends a file as one message: what it holds runs in one transaction, unless it says BEGIN
 * and COMMIT itself, and a CREATE INDEX CONCURRENTLY that is the only statement of its file works.
 */
export const prisma: MigrationFormat = {
  name: 'prisma',

  async recognises({ files }: Listing): Promise<boolean> {
    return files.includes(LOCK);
  },

  async read(listing: Listing): Promise<MigrationFile[]> {
    const { directory, folders } = listing;
    const texts = await Promise.all(folders.map((folder) => listing.text(`${folder}/${SCRIPT}`)));
    const files = await Promise.all(
      folders.map((folder, index) => toFile(listing, folder, texts[index], index + 1)),
    );
    const problems = files.filter((file) => typeof file === 'string');
    refuseProblems(
      directory,
      problems,
      'Each folder beside migration_lock.toml is one migration in SQL; keep programs elsewhere.',
    );
    return files.filter((file) => typeof file !== 'string');
  },
};

async function toFile(
  listing: Listing,
  name: string,
  text: string | undefined,
  id: number,
): Promise<MigrationFile | string> {
  const folder = path.join(listing.directory, name);
  if (text === undefined) {
    const { files } = await listDirectory(folder);
    return `${name}: there is no ${SCRIPT} in it${files.length > 0 ? `, but ${files.join(', ')}` : ''}`;
  }
  return {
    id,
    name,
    fileName: `${name}/${SCRIPT}`,
    path: path.join(folder, SCRIPT),
    sql: withoutMark(text),
    source: withoutMark(text),
    sending: 'message',
    checksum: sha256(text),
    down: null,
  };
}
