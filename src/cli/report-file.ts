import { randomUUID } from 'node:crypto';
import { realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { usageError } from '../core/errors.js';
import type { Io } from './io.js';

/** A file that is written when the work is done. */
export interface ReportFile {
  write(text: string): Promise<void>;
}

/**
 * Makes sure that a report can be written where an option says, before the work begins. What is there
 * stays until the whole new one takes its place.
 * @param option the option that names the file, such as `--junit`
 * @throws usage error `REPORT_UNWRITABLE` (exit 2) that names the path
 */
export async function reportFile(option: string, given: string, io: Io): Promise<ReportFile> {
  const target = await existing(resolve(io.cwd, given));
  const refuse = (cause: unknown) => unwritable(option, given, cause);
  const write = (text: string) => replace(target, text);
  try {
    const found = await stat(target).catch(() => undefined);
    if (found !== undefined && !found.isFile()) throw new Error('it is no file');
    await probe(target);
  } catch (cause) {
    throw refuse(cause);
  }
  return { write: (text) => write(text).catch((cause: unknown) => Promise.reject(refuse(cause))) };
}

/** What a link leads to, so that it stays a link. */
async function existing(path: string): Promise<string> {
  return realpath(path).catch(() => path);
}

async function probe(target: string): Promise<void> {
  const path = beside(target);
  await writeFile(path, '', { flag: 'wx' });
  await rm(path);
}

async function replace(target: string, text: string): Promise<void> {
  const path = beside(target);
  try {
    await writeFile(path, text, { flag: 'wx' });
    await rename(path, target);
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}

/** In the same folder, for only within one file system is renaming atomic. */
function beside(target: string): string {
  return `${dirname(target)}/.tenantctl-${randomUUID()}.tmp`;
}

function unwritable(option: string, path: string, cause: unknown) {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return usageError('REPORT_UNWRITABLE', `${option}: cannot write ${path}: ${reason}`, {
    hint: 'Name a file in a folder that exists and that you may write to.',
    facts: { option, path },
    cause,
  });
}
