import { readFile, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { connectionError } from '../core/errors.js';
import { notYours } from './failure.js';
import { poll } from './polling.js';
import { isTaken, lookUp, type ProcessFacts } from './processes.js';

/** A server's main process, as its `postmaster.pid` describes it. */
export interface Postmaster {
  readonly pid: number;
  readonly port: number;
  readonly status: string;
  readonly started: string;
}

const STOP_MS = 30_000;
const QUIT_MS = 10_000;

/**
 * The live server of a data directory. A file left behind by a dead server, or one whose id now
 * belongs to another process, is no server.
 */
export async function livePostmaster(data: string): Promise<Postmaster | undefined> {
  const file = await readPidFile(data);
  const facts = file && lookUp(file.pid);
  if (!file || !facts || !(await serves(facts, file.directory, data))) return undefined;
  return { pid: file.pid, port: file.port, status: file.status, started: facts.started };
}

/** Waits while the server is starting or stopping; undefined when it is not there in the end. */
export async function settledPostmaster(data: string, withinMs: number): Promise<Postmaster | undefined> {
  const settled = await poll(async () => {
    const postmaster = await livePostmaster(data);
    if (!postmaster) return { postmaster };
    return postmaster.status === 'ready' ? { postmaster } : undefined;
  }, withinMs);
  if (settled) return settled.postmaster;
  throw connectionError('LOCAL_SERVER_NOT_READY', `The local server in ${data} does not get ready.`, {
    hint: 'Look at postgres.log beside that directory; `tenantctl dev down` stops the server.',
  });
}

/**
 * Removes a `postmaster.pid` whose id has gone to another process, or is that of a killed server whose parent has not
 * looked after it: PostgreSQL would refuse to start beside it. One with an id that is free stays, because PostgreSQL itself
 * deals with it. Whether processes of a killed server are still at work it learns from their shared memory, which it finds
 * by the data directory. Call it only under the lock, when no server is alive.
 */
export async function dropMisleadingPidFile(data: string): Promise<void> {
  const file = await readPidFile(data);
  if (file && isTaken(file.pid)) await rm(path.join(data, 'postmaster.pid'), { force: true });
}

/** Shuts the server down, first fast, then at once, and returns when it is gone. */
export async function stopPostmaster(postmaster: Postmaster): Promise<void> {
  signal(postmaster, 'SIGINT');
  if (await gone(postmaster, STOP_MS)) return;
  signal(postmaster, 'SIGQUIT');
  if (await gone(postmaster, QUIT_MS)) return;
  throw connectionError(
    'LOCAL_SERVER_WILL_NOT_STOP',
    `The local server (process ${postmaster.pid}) does not stop.`,
    { hint: `Look at its postgres.log; kill -9 ${postmaster.pid} ends it and costs a recovery.` },
  );
}

async function gone({ pid, started }: Postmaster, withinMs: number): Promise<boolean> {
  return (await poll(() => (lookUp(pid)?.started === started ? undefined : true), withinMs)) ?? false;
}

function signal({ pid, started }: Postmaster, name: NodeJS.Signals): void {
  if (lookUp(pid)?.started !== started) return;
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EPERM') throw notYours(`process ${pid}`, error);
  }
}

interface PidFile {
  readonly pid: number;
  readonly directory: string;
  readonly port: number;
  readonly status: string;
}

async function readPidFile(data: string): Promise<PidFile | undefined> {
  try {
    const lines = (await readFile(path.join(data, 'postmaster.pid'), 'utf8')).split('\n');
    const [pid = '', directory = '', , port = '', , , , status = ''] = lines;
    // A single-user session writes its id negated; it is no server, but it is alive all the same.
    return { pid: Math.abs(Number(pid)), directory, port: Number(port), status: status.trim() };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw code === 'EACCES' ? notYours(data, error) : error;
  }
}

/**
 * Whether that process is the server of this directory. `named` is how the server spells its
 * directory; a copy of the directory holds the same file and must not take over the original's server.
 */
async function serves(facts: ProcessFacts, named: string, data: string): Promise<boolean> {
  const command = `${facts.command} `;
  if (!/(^|\/)postgres /.test(command)) return false;
  if (/ -D \//.test(command) && !command.includes(` -D ${named} `)) return false;
  return sameDirectory(named, data);
}

async function sameDirectory(named: string, data: string): Promise<boolean> {
  const [there, here] = await Promise.all([stat(named).catch(() => undefined), stat(data)]);
  // Not there any more: the directory was moved while its server ran.
  return !there || (there.dev === here.dev && there.ino === here.ino);
}
