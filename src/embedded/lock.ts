import { randomBytes } from 'node:crypto';
import { link, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { conflictError } from '../core/errors.js';
import { poll } from './polling.js';
import { lookUp } from './processes.js';

const PREFIX = 'lock.';
const WAIT_MS = 120_000;

/**
 * Does `work` while no other process does its own under the same directory's lock.
 *
 * The lock is the file `lock.<n>` with the highest n; it names its holder. A holder that has died,
 * `kill -9` included, is succeeded by creating `lock.<n+1>`, which only one can do. Because the highest
 * file is never deleted, not even on release, nobody can act on an old view of the directory and end up
 * beside another holder: that is what deleting and re-creating one lock file cannot give.
 * @throws conflictError when a living holder does not let go
 */
export async function withLock<T>(directory: string, work: () => Promise<T>): Promise<T> {
  const held = await poll(() => tryAcquire(directory), WAIT_MS);
  if (!held) throw await busy(directory);
  try {
    return await work();
  } finally {
    await writeFile(held, '');
  }
}

async function tryAcquire(directory: string): Promise<string | undefined> {
  const top = highest(await lockNumbers(directory));
  if (await isHeld(lockFile(directory, top))) return undefined;
  const mine = top + 1;
  if (!(await createLock(directory, mine))) return undefined;
  const numbers = await lockNumbers(directory);
  const overtaken = highest(numbers) > mine;
  const useless = overtaken ? [mine] : numbers.filter((number) => number < mine);
  await Promise.all(useless.map((number) => rm(lockFile(directory, number), { force: true })));
  return overtaken ? undefined : lockFile(directory, mine);
}

/** Creates the file with its content in one step, so that no one ever reads it half-written. */
async function createLock(directory: string, number: number): Promise<boolean> {
  const draft = path.join(directory, `draft.${randomBytes(6).toString('hex')}`);
  await writeFile(draft, `${process.pid} ${lookUp(process.pid)?.started}`, { flag: 'wx' });
  try {
    await link(draft, lockFile(directory, number));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

async function isHeld(file: string): Promise<boolean> {
  const [pid, started] = await holder(file);
  return started !== undefined && lookUp(Number(pid))?.started === started;
}

async function holder(file: string): Promise<[pid?: string, started?: string]> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  const space = text.indexOf(' ');
  return space < 0 ? [] : [text.slice(0, space), text.slice(space + 1)];
}

async function lockNumbers(directory: string): Promise<number[]> {
  const names = await readdir(directory);
  return names.filter((name) => /^lock\.\d+$/.test(name)).map((name) => Number(name.slice(PREFIX.length)));
}

const highest = (numbers: number[]): number => Math.max(0, ...numbers);
const lockFile = (directory: string, number: number): string => path.join(directory, `${PREFIX}${number}`);

async function busy(directory: string): Promise<Error> {
  const [pid] = await holder(lockFile(directory, highest(await lockNumbers(directory))));
  return conflictError(
    'LOCAL_SERVER_BUSY',
    `Process ${pid ?? 'of another command'} has been starting or stopping the local server for two minutes.`,
    { hint: 'Let it end, or end it, and run the command again.', facts: { directory, pid } },
  );
}
