import { randomUUID } from 'node:crypto';
import { lstat, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { TOOL_VERSION } from '../../core/version.js';
import { partialTaken, targetExists, underWay } from './failures.js';
import { AGENT, TAG_FILES, partialOf } from './layout.js';
import { infoText, parseInfo } from './tag-text.js';

/** Only an unfinished folder has it. */
const WRITER = 'Tenantctl-Unfinished-Writer';

/** The folder of an export that does not have its name yet. */
export interface Partial {
  directory: string;
  target: string;
  /** What its `bag-info.txt` says now; no other process writes the same. */
  info: string;
}

/**
 * Makes the folder in which an export is written. What a killed process has left of an earlier try is replaced.
 * @throws conflict `EXPORT_TARGET_EXISTS`, `EXPORT_PARTIAL_EXISTS` or `EXPORT_UNDER_WAY` (exit 5)
 */
export async function openPartial(target: string): Promise<Partial> {
  await assertFree(target);
  const directory = partialOf(target);
  await mkdir(path.dirname(target), { recursive: true, mode: 0o700 });
  await rm(directory, { recursive: true, force: true });
  try {
    await mkdir(directory, { mode: 0o700 });
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'EEXIST' ? underWay(directory) : error;
  }
  const writer = `${hostname()} ${process.pid} ${randomUUID()}`;
  const info = infoText([
    ['Bag-Software-Agent', `${AGENT} ${TOOL_VERSION}`],
    [WRITER, writer],
  ]);
  await writeFile(path.join(directory, TAG_FILES.info), info, { mode: 0o600 });
  return { directory, target, info };
}

/**
 * May an export be written there? Changes nothing.
 * @throws conflict `EXPORT_TARGET_EXISTS`, `EXPORT_PARTIAL_EXISTS` or `EXPORT_UNDER_WAY` (exit 5)
 */
export async function assertFree(target: string): Promise<void> {
  if (await exists(target)) throw targetExists(target);
  const directory = partialOf(target);
  if (!(await exists(directory))) return;
  const { writer, ours } = await whoseIs(directory);
  if (!ours) throw partialTaken(directory);
  if (writer !== undefined && isAlive(writer)) throw underWay(directory);
}

/** Does the folder still hold what was written there, or has another process taken its place? */
export async function isStillOurs({ directory, info }: Partial): Promise<boolean> {
  const text = await readFile(path.join(directory, TAG_FILES.info), 'utf8').catch(() => undefined);
  return text === info;
}

/** Is this the folder of an export that is not finished? */
export async function isUnfinished(directory: string): Promise<boolean> {
  return (await readInfo(directory))?.has(WRITER) === true;
}

/** A process that dies between its first two steps leaves an empty folder. */
async function whoseIs(directory: string): Promise<{ ours: boolean; writer?: string | undefined }> {
  if (!(await lstat(directory)).isDirectory()) return { ours: false };
  const info = await readInfo(directory);
  if (info === undefined) return { ours: (await readdir(directory)).length === 0 };
  const agent = info.get('Bag-Software-Agent') ?? '';
  return { ours: agent.startsWith(`${AGENT} `), writer: info.get(WRITER) };
}

/** Nobody here can tell of a process on another machine: its folder counts as left behind. */
function isAlive(writer: string): boolean {
  const [host, pid] = writer.split(' ');
  if (host !== hostname() || Number(pid) === process.pid) return false;
  try {
    process.kill(Number(pid), 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function readInfo(directory: string): Promise<Map<string, string> | undefined> {
  const text = await readFile(path.join(directory, TAG_FILES.info), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : parseInfo(text);
}

async function exists(file: string): Promise<boolean> {
  try {
    await lstat(file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
