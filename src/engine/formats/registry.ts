import { configError } from '../../core/errors.js';
import type { MigrationSettings } from '../../core/settings.js';
import { dbmate } from './dbmate.js';
import { listDirectory } from './directory.js';
import { drizzle } from './drizzle.js';
import { flyway } from './flyway.js';
import type { Listing, MigrationFile, MigrationFormat } from './format.js';
import { golangMigrate } from './golang-migrate.js';
import { nodePgMigrate } from './node-pg-migrate.js';
import { postgresMigrations } from './postgres-migrations.js';
import { prisma } from './prisma.js';
import { sqitch } from './sqitch.js';

const FORMATS: readonly MigrationFormat[] = [
  postgresMigrations,
  prisma,
  drizzle,
  nodePgMigrate,
  dbmate,
  golangMigrate,
  flyway,
  sqitch,
];

/** Where migrations are, and in which format. */
export type MigrationSource = Pick<MigrationSettings, 'directory' | 'format'>;

/**
 * Reads a migration directory, in the order in which its files are applied.
 * @throws configuration error (exit 3): `MIGRATIONS_INVALID` naming every file that breaks a rule,
 *   `MIGRATIONS_FORMAT` when it is plainly a directory of another format, or of none that is known
 */
export async function readMigrationFiles({ directory, format }: MigrationSource): Promise<MigrationFile[]> {
  const listing = await listDirectory(directory);
  const found = await recognise(listing);
  if (format === 'auto') return (await onlyOne(listing, found)).read(listing);
  const asked = FORMATS.find(({ name }) => name === format) as MigrationFormat;
  if (found.length === 1 && found[0] !== asked)
    throw otherFormat(directory, asked, found[0] as MigrationFormat);
  return asked.read(listing);
}

/** The formats that a directory plainly has; a tool's own marks count for more than numbers in names. */
async function recognise(listing: Listing): Promise<MigrationFormat[]> {
  const answers = await Promise.all(FORMATS.map((format) => format.recognises(listing)));
  const found = FORMATS.filter((_, index) => answers[index]);
  const marked = found.filter((format) => format !== postgresMigrations);
  return marked.length > 0 ? marked : found;
}

async function onlyOne(
  { directory, files, folders }: Listing,
  found: readonly MigrationFormat[],
): Promise<MigrationFormat> {
  if (found.length === 1) return found[0] as MigrationFormat;
  // Nothing is there yet, in whatever format.
  if (files.every((name) => !name.endsWith('.sql')) && folders.length === 0) return postgresMigrations;
  const what = found.length === 0 ? 'none of the known ones' : found.map(({ name }) => name).join(' or ');
  throw configError(
    'MIGRATIONS_FORMAT',
    `The format of the migrations in ${directory} cannot be told: ${what}.`,
    {
      hint: `Set migrations.format to one of ${FORMATS.map(({ name }) => name).join(', ')}.`,
      facts: { directory, found: found.map(({ name }) => name) },
    },
  );
}

function otherFormat(directory: string, asked: MigrationFormat, found: MigrationFormat) {
  return configError(
    'MIGRATIONS_FORMAT',
    `The migrations in ${directory} are in the format of ${found.name}, not of ${asked.name}.`,
    {
      hint: `Set migrations.format: ${found.name}.`,
      facts: { directory, format: asked.name, found: found.name },
    },
  );
}
