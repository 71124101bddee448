import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { configError } from '../../core/errors.js';
import { groupBy } from '../../core/group-by.js';

/** A SQL file of the user's. */
export interface ScriptFile {
  fileName: string;
  /** Absolute path. */
  path: string;
  /** Its text with line ends as LF, so that a Windows checkout is the same file. */
  sql: string;
}

/** One migration as it stands on disk, in the format of `postgres-migrations`. */
export interface MigrationFile extends ScriptFile {
  id: number;
  name: string;
  /** sha1 over file name and text, as postgres-migrations computes it for an LF checkout. */
  checksum: string;
  /** The way back: `down/0007_add_note.sql` for `0007_add_note.sql`, or null. */
  down: ScriptFile | null;
}

const DOWN = 'down';

/** `0007_add_invoice_note.sql`; the separator may be missing, as in the format's own rule. */
const FILE_NAME = /^(-?\d+)[-_]?(.*)\.(sql|js)$/i;

/**
 * Reads a migration directory, in order of id. Ids run from 1 without a gap; other files than `.sql` are
 * ignored, as are folders other than `down/`, but `.js` is refused: the format's own loader would run it.
 * @throws configuration error (exit 3) that names every file which breaks a rule; nothing was run
 */
export async function readMigrationFiles(directory: string): Promise<MigrationFile[]> {
  const names = await listDirectory(directory);
  const downs = await listDown(directory);
  const problems = [...namingProblems(names), ...numberingProblems(names), ...strayProblems(names, downs)];
  if (problems.length > 0) throw invalidDirectory(directory, problems);
  const { loadMigrationFiles } = await import('postgres-migrations');
  const loaded = await loadMigrationFiles(directory).catch((cause: unknown) => {
    throw unreadable(directory, cause);
  });
  const files = loaded.filter(({ id }) => id > 0);
  return Promise.all(
    files.map(async ({ id, fileName, sql }) => ({
      ...toMigrationFile(directory, id, fileName, sql),
      down: downs.includes(fileName) ? await readScript(directory, path.join(DOWN, fileName)) : null,
    })),
  );
}

/** The ids in a directory, without reading a file. */
export async function listMigrationIds(directory: string): Promise<number[]> {
  return sqlFiles(await listDirectory(directory))
    .map(idOf)
    .sort((a, b) => a - b);
}

function toMigrationFile(directory: string, id: number, fileName: string, text: string) {
  const sql = withLineFeeds(text);
  return {
    id,
    name: path.basename(fileName, path.extname(fileName)),
    fileName,
    path: path.join(directory, fileName),
    sql,
    checksum: createHash('sha1')
      .update(fileName + sql, 'utf8')
      .digest('hex'),
  };
}

async function readScript(directory: string, fileName: string): Promise<ScriptFile> {
  const file = path.join(directory, fileName);
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw unreadable(directory, cause);
  });
  return { fileName, path: file, sql: withLineFeeds(text) };
}

const withLineFeeds = (text: string): string => text.replace(/^\uFEFF/, '').replaceAll('\r\n', '\n');

/** One digest over a set of migrations: equal sets have equal digests. */
export function digestOf(files: readonly MigrationFile[]): string {
  const hash = createHash('sha256');
  for (const file of files) hash.update(`${file.id} ${file.name} ${file.checksum}\n`);
  return hash.digest('hex');
}

async function listDirectory(directory: string): Promise<string[]> {
  try {
    const entries = await readdir(directory, { withFileTypes: true });
    return entries.filter((entry) => !entry.isDirectory()).map((entry) => entry.name);
  } catch (cause) {
    throw unreadable(directory, cause);
  }
}

/** The names in `down/`; without that folder there are none. */
async function listDown(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  const there = entries.some((entry) => entry.isDirectory() && entry.name === DOWN);
  return there ? listDirectory(path.join(directory, DOWN)) : [];
}

function unreadable(directory: string, cause: unknown) {
  const reason = cause instanceof Error ? `: ${cause.message}` : '';
  return configError(
    'MIGRATIONS_UNREADABLE',
    `The migration directory ${directory} cannot be read${reason}`,
    {
      hint: 'Check migrations.directory; it is relative to the configuration file.',
      facts: { directory },
      cause,
    },
  );
}

const sqlFiles = (names: string[]): string[] => names.filter((name) => /\.sql$/i.test(name));
const idOf = (name: string): number => Number(FILE_NAME.exec(name)?.[1]);

function namingProblems(names: string[]): string[] {
  const scripts = names.filter((name) => /\.js$/i.test(name));
  const odd = sqlFiles(names).filter((name) => !FILE_NAME.test(name));
  return [
    ...scripts.map((name) => `${name}: JavaScript migrations are not run; write it as SQL`),
    ...odd.map((name) => `${name}: the name does not begin with a number, as in 0007_add_note.sql`),
  ];
}

function numberingProblems(names: string[]): string[] {
  const byId = groupBy(
    sqlFiles(names).filter((name) => FILE_NAME.test(name)),
    idOf,
  );
  const ids = [...byId.keys()].sort((a, b) => a - b);
  const duplicates = [...byId].filter(([, files]) => files.length > 1);
  const gap = ids.find((id, index) => id !== index + 1);
  return [
    ...duplicates.map(([id, files]) => `number ${id} is used by ${files.sort().join(' and ')}`),
    ...(gap === undefined ? [] : [gapSentence(gap, ids)]),
  ];
}

function strayProblems(names: string[], downs: string[]): string[] {
  return downs
    .filter((name) => /\.(sql|js)$/i.test(name) && !names.includes(name))
    .map((name) => `${DOWN}/${name}: it belongs to no migration; the way back has the same file name`);
}

function gapSentence(found: number, ids: number[]): string {
  const expected = ids.indexOf(found) + 1;
  return found < 1
    ? `number ${found} is below 1; the first migration is 0001`
    : `number ${expected} is missing: the next file there is ${found}`;
}

function invalidDirectory(directory: string, problems: string[]) {
  return configError(
    'MIGRATIONS_INVALID',
    [`The migrations in ${directory} are not in order:`, ...problems.map((p) => `  ${p}`)].join('\n'),
    {
      hint: 'Nothing was changed. Numbers run from 0001 without gaps, one file each.',
      facts: { directory, problems },
    },
  );
}
