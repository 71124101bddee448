import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, readdir, realpath, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { configError } from '../core/errors.js';
import type { Account } from './account.js';
import { runProgram } from './program.js';

const STATE_ROOT = '/var/lib/tenantctl';

/**
 * The folder that holds a project's clusters: the one that `<directory>/location` names, else the
 * directory itself; undefined when neither holds anything yet.
 */
export async function findHome(directory: string): Promise<string | undefined> {
  const location = await readLocation(directory);
  if (location) return location;
  const names = await readdir(directory).catch(() => []);
  return names.some((name) => /^pg\d+$/.test(name)) ? realpath(directory) : undefined;
}

/**
 * The folder for a project's first cluster, made when it is not there. Where the server's user cannot
 * reach the project (root's /root is closed to everyone), it is elsewhere and `<directory>/location`
 * names it.
 */
export async function chooseHome(directory: string, account: Account): Promise<string> {
  const place = await realpath(directory);
  const location = await readLocation(place);
  if (!location && (!account.switchTo || (await canReach(place, account)))) return place;
  const name = createHash('sha256').update(place).digest('hex').slice(0, 16);
  const home = location ?? path.join(STATE_ROOT, name);
  for (const folder of [path.dirname(home), home]) await makeOpenFolder(folder);
  await writeFile(path.join(place, 'location'), `${home}\n`);
  return home;
}

/**
 * Makes the project's directory when it is not there, open enough for the server's user to pass
 * (what is secret in it is closed by itself), and kept out of git.
 */
export async function makeDirectory(directory: string): Promise<void> {
  if (existsSync(directory)) return;
  await mkdir(path.dirname(directory), { recursive: true });
  // Not recursive, because that hides what is wrong: on a read-only file system it says ENOENT.
  await mkdir(directory).catch(tolerateExisting);
  await chmod(directory, 0o755);
  await writeFile(path.join(directory, '.gitignore'), '*\n');
}

function tolerateExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}

/** `mkdir` with a mode would close every new parent too, and the umask might close this one. */
async function makeOpenFolder(folder: string): Promise<void> {
  const made = await mkdir(folder, { recursive: true });
  if (made !== undefined) await chmod(folder, 0o755);
}

async function readLocation(directory: string): Promise<string | undefined> {
  const file = path.join(directory, 'location');
  const location = (await readFile(file, 'utf8').catch(() => '')).trim();
  if (!location || path.isAbsolute(location)) return location || undefined;
  throw configError('LOCAL_SERVER_BAD_LOCATION', `${file} must name an absolute path, not "${location}".`);
}

/** Asked of the system rather than computed: ACLs and mounts have a say too. */
async function canReach(directory: string, account: Account): Promise<boolean> {
  return (await runProgram('/bin/sh', ['-c', 'cd "$0"', directory], account)).ok;
}
