import { randomBytes } from 'node:crypto';
import { chown, readFile, readdir, rename, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { conflictError } from '../core/errors.js';
import { rememberSecret } from '../core/redact.js';
import { notYours } from './failure.js';

/** One cluster on disk: `<home>/pg<major>` with its data, its passwords and its log. */
export interface Cluster {
  readonly directory: string;
  readonly data: string;
  readonly logFile: string;
  readonly major: number;
}

/** The passwords of the roles `postgres` and `tenantctl_admin`. */
export interface Passwords {
  readonly superuser: string;
  readonly admin: string;
}

/** What the last start has left for those who adopt the server, and for the next start. */
interface StartRecord {
  readonly port: number;
  readonly version: string;
}

/** The files that make a cluster; the others are made again by the next start. */
export const PASSWORD_FILES = { superuser: 'password', admin: 'admin-password' } as const;
const RECORD_FILE = 'last-start.json';

/** The cluster in a folder that may not be complete yet. */
export function clusterIn(directory: string, major: number): Cluster {
  return {
    directory,
    data: path.join(directory, 'data'),
    logFile: path.join(directory, 'postgres.log'),
    major,
  };
}

/** Every cluster of a home, newest version first. A cluster gets its name when it is complete. */
export async function clustersOf(home: string | undefined): Promise<Cluster[]> {
  const names = home === undefined ? [] : await readdir(home).catch(() => []);
  const majors = names.map((name) => Number(/^pg(\d+)$/.exec(name)?.[1] ?? 0)).filter((major) => major > 0);
  return majors.sort((a, b) => b - a).map((major) => clusterIn(path.join(home ?? '', `pg${major}`), major));
}

/** @throws notYours when the files belong to another user; conflictError when one is missing */
export async function readPasswords({ directory }: Cluster): Promise<Passwords> {
  const [superuser, admin] = await Promise.all([
    readPassword(path.join(directory, PASSWORD_FILES.superuser)),
    readPassword(path.join(directory, PASSWORD_FILES.admin)),
  ]);
  return { superuser, admin };
}

async function readPassword(file: string): Promise<string> {
  try {
    const password = (await readFile(file, 'utf8')).trim();
    rememberSecret(password);
    return password;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EACCES') throw notYours(file, error);
    throw conflictError('LOCAL_SERVER_NO_PASSWORD', `The local server's password file ${file} is missing.`, {
      hint: `Put it back, or remove ${path.dirname(file)} to begin with an empty server.`,
      cause: error,
    });
  }
}

/** Undefined when the server was never started by this tool, or by one that wrote something else. */
export async function readRecord({ directory }: Cluster): Promise<StartRecord | undefined> {
  try {
    return JSON.parse(await readFile(path.join(directory, RECORD_FILE), 'utf8')) as StartRecord;
  } catch {
    return undefined;
  }
}

export async function writeRecord({ directory }: Cluster, record: StartRecord): Promise<void> {
  await writePrivately(path.join(directory, RECORD_FILE), `${JSON.stringify(record)}\n`);
}

/**
 * Writes a file that only the owner of its folder (and root) can read, whole or not at all. Root, at
 * work in another user's project, does not lock that user out.
 */
export async function writePrivately(file: string, text: string): Promise<void> {
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  await writeFile(draft, text, { mode: 0o600, flag: 'wx' });
  if (process.geteuid?.() === 0) {
    const { uid, gid } = await stat(path.dirname(file));
    await chown(draft, uid, gid);
  }
  await rename(draft, file);
}
