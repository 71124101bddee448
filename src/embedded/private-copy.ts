import { randomBytes } from 'node:crypto';
import { chmod, cp, lstat, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { configError } from '../core/errors.js';
import type { Environment } from './environment.js';
import type { NativePackage } from './native-package.js';
import { hydrateSymlinks } from './symlinks.js';

/**
 * Where copies are kept. Root's place does not depend on the environment, which sudo may hand over
 * from an ordinary user.
 */
export function cacheDirectory(env: Environment): string {
  if (process.geteuid?.() === 0) return '/var/cache/tenantctl';
  const xdg = env['XDG_CACHE_HOME'];
  const base = xdg && path.isAbsolute(xdg) ? xdg : path.join(env['HOME'] ?? homedir(), '.cache');
  return path.join(base, 'tenantctl');
}

/**
 * A copy of the package's binaries that the server's user can read, for a package below a closed
 * folder or one that can be neither written nor used as it is. It is made once (0.2 s, 58 MB).
 * @returns the copy's folder with bin/, lib/ and share/
 * @throws configError when the cache could have been planted by another user
 */
export async function privateCopy({ native, version }: NativePackage, cache: string): Promise<string> {
  await mkdir(cache, { recursive: true, mode: 0o755 });
  await assertOurs(cache);
  await chmod(cache, 0o755);
  const copy = path.join(cache, `postgres-${version}-${process.platform}-${process.arch}`);
  if (!(await exists(copy))) await makeCopy(native, copy);
  await assertOurs(copy);
  return copy;
}

/** Under another name first, so that a copy with the right name is a whole one. */
async function makeCopy(native: string, copy: string): Promise<void> {
  const draft = `${copy}.${randomBytes(6).toString('hex')}`;
  try {
    const filter = (file: string): boolean => !file.endsWith('.a');
    await cp(native, draft, { recursive: true, verbatimSymlinks: true, filter });
    await openToAll(draft);
    await hydrateSymlinks(draft);
    await rename(draft, copy);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    // Another command may have been quicker; its copy is as good as this one.
    if (!(await exists(copy))) throw error;
  }
}

/** Readable for the server's user and writable for us, whatever the modes of the original. */
async function openToAll(directory: string): Promise<void> {
  await chmod(directory, 0o755);
  const entries = await readdir(directory, { withFileTypes: true, recursive: true });
  for (const entry of entries) {
    if (entry.isSymbolicLink()) continue;
    const runs = entry.isDirectory() || path.basename(entry.parentPath) === 'bin';
    await chmod(path.join(entry.parentPath, entry.name), runs ? 0o755 : 0o644);
  }
}

/** What is run from here runs as us or as the server's user: no one else may have written it. */
async function assertOurs(directory: string): Promise<void> {
  const facts = await lstat(directory);
  const closed = (facts.mode & 0o022) === 0;
  if (facts.isDirectory() && facts.uid === process.geteuid?.() && closed) return;
  throw configError(
    'LOCAL_SERVER_UNSAFE_CACHE',
    `${directory} is not a folder that only this user can write, so nothing is run from it.`,
    { hint: 'Remove it, and run the command again.' },
  );
}

async function exists(file: string): Promise<boolean> {
  return lstat(file).then(
    () => true,
    () => false,
  );
}
