import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { conflictError } from '../../core/errors.js';
import { lookUp } from '../../embedded/processes.js';

/**
 * Keeps other demos out of a folder for as long as this process lives: they would wipe the fleet away
 * under its story. A killed demo leaves its mark, which then names no living process.
 * @returns what takes the mark away
 * @throws conflict `DEMO_RUNNING` (exit 5)
 */
export async function claimFolder(folder: string): Promise<() => Promise<void>> {
  const file = path.join(folder, CLAIM);
  const mark = `${process.pid} ${lookUp(process.pid)?.started}`;
  const holder = await readFile(file, 'utf8').catch(() => undefined);
  if (holder !== undefined) {
    if (isAlive(holder)) throw demoRunning(folder, holder);
    await rm(file, { force: true });
  }
  await writeFile(file, mark, { flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'EEXIST' ? demoRunning(folder, mark) : error;
  });
  return () => rm(file, { force: true });
}

/** The file that names the process at work in a folder. */
export const CLAIM = 'running';

function isAlive(mark: string): boolean {
  const space = mark.indexOf(' ');
  return lookUp(Number(mark.slice(0, space)))?.started === mark.slice(space + 1);
}

function demoRunning(folder: string, mark: string) {
  const pid = Number.parseInt(mark, 10);
  return conflictError('DEMO_RUNNING', `Another demo is at work in this folder (process ${pid}).`, {
    hint: 'Let it end, or run this one in another folder.',
    facts: { folder, pid },
  });
}
