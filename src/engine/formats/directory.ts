import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { type TenantctlError, configError } from '../../core/errors.js';
import type { Listing, ScriptFile } from './format.js';

/** @throws configuration error `MIGRATIONS_UNREADABLE` (exit 3) */
export async function listDirectory(directory: string): Promise<Listing> {
  const entries = await readdir(directory, { withFileTypes: true }).catch((cause: unknown) => {
    throw unreadable(directory, cause);
  });
  const names = (folders: boolean): string[] =>
    entries
      .filter((entry) => entry.isDirectory() === folders)
      .map((entry) => entry.name)
      .sort();
  return {
    directory,
    files: names(false),
    folders: names(true),
    text: (name) => readText(directory, name),
  };
}

/** The names of the files in a folder of the directory; none when there is no such folder. */
export async function filesIn(listing: Listing, folder: string): Promise<readonly string[]> {
  if (!listing.folders.includes(folder)) return [];
  return (await listDirectory(path.join(listing.directory, folder))).files;
}

/**
 * A file of the directory that its listing names.
 * @throws configuration error `MIGRATIONS_UNREADABLE` (exit 3) when it went away since
 */
export async function readScript(listing: Listing, fileName: string): Promise<ScriptFile> {
  const text = await listing.text(fileName);
  if (text === undefined) throw unreadableFile(listing.directory, new Error('it is not there'), fileName);
  return { fileName, path: path.join(listing.directory, fileName), sql: withoutMark(text) };
}

async function readText(directory: string, name: string): Promise<string | undefined> {
  try {
    return (await readFile(path.join(directory, name), 'utf8')).replaceAll('\r\n', '\n');
  } catch (cause) {
    if (['ENOENT', 'ENOTDIR'].includes(String((cause as NodeJS.ErrnoException).code))) return undefined;
    throw unreadableFile(directory, cause, name);
  }
}

/** Text without a byte order mark, which the server would take for a part of the first word. */
export const withoutMark = (text: string): string => text.replace(/^\uFEFF/, '');

function unreadable(directory: string, cause: unknown): TenantctlError {
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

/**
 * A file that cannot be read, in a directory that can.
 * @param name absent where the cause alone says which one it is
 */
export function unreadableFile(directory: string, cause: unknown, name?: string): TenantctlError {
  const which =
    name === undefined
      ? `A migration file in ${directory}`
      : `The migration file ${path.join(directory, name)}`;
  const reason = cause instanceof Error ? `: ${cause.message}` : '';
  return configError('MIGRATIONS_UNREADABLE', `${which} cannot be read${reason}`, {
    hint: 'Nothing was changed. Each of them must be a file that the user who runs tenantctl may read.',
    facts: { directory },
    cause,
  });
}

/** @throws configuration error `MIGRATIONS_INVALID` (exit 3) when there are problems; each is a line of it */
export function refuseProblems(directory: string, problems: readonly string[], rule: string): void {
  if (problems.length === 0) return;
  throw configError(
    'MIGRATIONS_INVALID',
    [`The migrations in ${directory} are not in order:`, ...problems.map((p) => `  ${p}`)].join('\n'),
    { hint: `Nothing was changed. ${rule}`, facts: { directory, problems } },
  );
}
