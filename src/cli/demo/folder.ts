import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { conflictError, isTenantctlError } from '../../core/errors.js';
import { makeDirectory } from '../../embedded/home.js';
import { removeLocalServer } from '../../embedded/remove.js';
import { CLAIM, claimFolder } from './claim.js';

/** Where the demo's fleet lives; all paths are absolute. */
export interface DemoFolder {
  path: string;
  /** The configuration as one types it, relative to the working folder. */
  shownConfig: string;
  config: string;
  /** The folder of the local server. */
  server: string;
}

const PRODUCT = fileURLToPath(new URL('../../../fixtures/invoicing/', import.meta.url));
const CONFIG = 'tenantctl.config.yaml';
const SERVER = '.tenantctl';
/** The folder for what tenants take along. */
export const EXPORTS = 'exports';
/** Folders that are not looked into. */
const UNLISTED = new Set([SERVER, EXPORTS]);
/** What an earlier demo wrote: each file with the hash of its text. */
const MANIFEST = 'made-by-demo.json';
const OURS = new Set([MANIFEST, CLAIM, '.gitignore']);
const SHOWN = 5;

type Manifest = Readonly<Record<string, string>>;

export function demoFolder(cwd: string): DemoFolder {
  const relative = path.join('.tenantctl', 'demo');
  const folder = path.resolve(cwd, relative);
  return {
    path: folder,
    shownConfig: path.join(relative, CONFIG),
    config: path.join(folder, CONFIG),
    server: path.join(folder, SERVER),
  };
}

/**
 * Makes the folder where it is missing, makes sure that it holds nothing but an earlier demo, and keeps
 * other demos out of it.
 * @returns what lets them in again
 * @throws conflict (exit 5) `DEMO_RUNNING`, `DEMO_FOLDER_TAKEN`, `DEMO_FOLDER_UNWRITABLE`
 */
export function enterFolder(folder: DemoFolder): Promise<() => Promise<void>> {
  return translated(folder, async () => {
    await makeDirectory(path.dirname(folder.path));
    await makeDirectory(folder.path);
    const leave = await claimFolder(folder.path);
    await refuseForeignFiles(folder).catch(async (error: unknown) => {
      await leave();
      throw error;
    });
    return leave;
  });
}

/**
 * Fills the folder anew: the sample product, its migrations up to `newest` only. What an earlier demo
 * made there goes, its exports and its server with its data included.
 * @throws conflict (exit 5) `DEMO_FOLDER_UNWRITABLE`
 */
export async function fillFolder(folder: DemoFolder, newest: number): Promise<void> {
  await translated(folder, async () => {
    await removeLocalServer(folder.server);
    await rm(path.join(folder.path, EXPORTS), { recursive: true, force: true });
    for (const name of Object.keys(await readManifest(folder)))
      await rm(path.join(folder.path, name), { force: true });
    const files = await listFiles(PRODUCT);
    // First, so that a demo killed half-way leaves nothing that the next one would not know as its own.
    await writeFile(
      path.join(folder.path, MANIFEST),
      `${JSON.stringify(await hashAll(PRODUCT, files), null, 2)}\n`,
    );
    await copyFiles(
      folder,
      files.filter((name) => (migrationNumber(name) ?? 0) <= newest),
    );
  });
}

/** Copies the migrations that were held back. */
export async function releaseMigrations(folder: DemoFolder): Promise<string[]> {
  const missing = (await listFiles(PRODUCT)).filter((name) => !existsSync(path.join(folder.path, name)));
  await translated(folder, () => copyFiles(folder, missing));
  return missing.filter((name) => !name.includes('down')).map((name) => path.basename(name, '.sql'));
}

/** Writes a migration of the demo's own, and notes that it is one. */
export async function addMigration(folder: DemoFolder, name: string, text: string): Promise<void> {
  await translated(folder, async () => {
    const file = path.join('migrations', `${name}.sql`);
    const manifest = { ...(await readManifest(folder)), [file]: hashOf(text) };
    await writeFile(path.join(folder.path, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);
    await writeFile(path.join(folder.path, file), text);
  });
}

async function copyFiles(folder: DemoFolder, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const target = path.join(folder.path, name);
    await mkdir(path.dirname(target), { recursive: true });
    await copyFile(path.join(PRODUCT, name), target);
  }
}

/** The number of a migration file or of the way back from it; undefined for other files. */
function migrationNumber(name: string): number | undefined {
  if (!name.startsWith(`migrations${path.sep}`)) return undefined;
  return Number.parseInt(path.basename(name), 10);
}

async function refuseForeignFiles(folder: DemoFolder): Promise<void> {
  const manifest = await readManifest(folder);
  const there = (await listFiles(folder.path)).filter((name) => !OURS.has(name));
  const hashes = await hashAll(folder.path, there);
  const foreign = there.filter((name) => manifest[name] !== hashes[name]);
  if (foreign.length === 0) return;
  const more = foreign.length > SHOWN ? ` and ${foreign.length - SHOWN} more` : '';
  throw conflictError(
    'DEMO_FOLDER_TAKEN',
    `${path.dirname(folder.shownConfig)} holds files that no demo wrote, or that were changed since: ${foreign.slice(0, SHOWN).join(', ')}${more}.`,
    {
      hint: 'Nothing was changed. Move them elsewhere, or run the demo in another folder.',
      facts: { folder: folder.path, files: foreign },
    },
  );
}

async function readManifest(folder: DemoFolder): Promise<Manifest> {
  const text = await readFile(path.join(folder.path, MANIFEST), 'utf8').catch(() => '{}');
  try {
    return JSON.parse(text) as Manifest;
  } catch {
    return {};
  }
}

/** Every file below a folder by its relative path; those of the server and of exports are not looked into. */
async function listFiles(root: string, below = ''): Promise<string[]> {
  const entries = await readdir(path.join(root, below), { withFileTypes: true });
  const names = entries
    .filter(({ name }) => !UNLISTED.has(path.join(below, name)))
    .map(async (entry) => {
      const name = path.join(below, entry.name);
      return entry.isDirectory() ? listFiles(root, name) : [name];
    });
  return (await Promise.all(names)).flat().sort();
}

function hashOf(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

async function hashAll(root: string, names: readonly string[]): Promise<Manifest> {
  const pairs = names.map(async (name) => {
    return [name, hashOf(await readFile(path.join(root, name)))] as const;
  });
  return Object.fromEntries(await Promise.all(pairs));
}

/** What the file system refuses becomes an error that says what to do next. */
async function translated<T>(folder: DemoFolder, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isTenantctlError(error) || !(error instanceof Error) || !('syscall' in error)) throw error;
    throw conflictError('DEMO_FOLDER_UNWRITABLE', `The demo cannot make its folder: ${error.message}.`, {
      hint: 'Run it in a folder that you may write to; it makes .tenantctl/demo/ there and nothing else.',
      facts: { folder: folder.path },
      cause: error,
    });
  }
}
