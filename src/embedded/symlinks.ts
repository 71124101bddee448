import { readFile, symlink } from 'node:fs/promises';
import path from 'node:path';

interface Link {
  readonly source: string;
  readonly target: string;
}

/**
 * Makes the symlinks that an npm package cannot hold, which its install script makes where scripts
 * are allowed to run.
 * @param native the package's folder of binaries
 * @returns whether all of them are there now; false when the folder cannot be written
 */
export async function hydrateSymlinks(native: string): Promise<boolean> {
  const links = await readLinks(native);
  const made = await Promise.all(links.map((link) => makeLink(native, link)));
  return made.every(Boolean);
}

async function readLinks(native: string): Promise<Link[]> {
  try {
    return JSON.parse(await readFile(path.join(native, 'pg-symlinks.json'), 'utf8')) as Link[];
  } catch {
    return []; // A package without that list needs no links.
  }
}

/** The list says "native/lib/…" whatever the folder is called; every link stays within its own folder. */
async function makeLink(native: string, { source, target }: Link): Promise<boolean> {
  try {
    await symlink(path.basename(source), path.join(native, path.relative('native', target)));
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EEXIST';
  }
}
