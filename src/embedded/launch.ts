import { spawn, type ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import path from 'node:path';
import { connectionError, type TenantctlError } from '../core/errors.js';
import type { Account } from './account.js';
import type { Binaries } from './binaries.js';
import type { Cluster } from './cluster.js';
import { SERVER_ENVIRONMENT } from './environment.js';
import { explainFailure } from './failure.js';
import { openLog, type LogMark } from './log-file.js';
import { poll } from './polling.js';
import { livePostmaster, type Postmaster } from './postmaster.js';

/** Whether the server goes with this process or stays for the next one. */
export type Lifetime = 'tied' | 'free';

export interface LaunchPlan {
  readonly cluster: Cluster;
  readonly binaries: Binaries;
  readonly account: Account;
  readonly lifetime: Lifetime;
  readonly settings: Readonly<Record<string, string>>;
}

/** A server that this process has started. */
export interface Launched {
  readonly postmaster: Postmaster;
  /** Returns when the process that was started here has ended; a tied server is told to. */
  release(): Promise<void>;
}

const READY_MS = 60_000;

/**
 * Ties a server to us. The pipe on stdin closes when we end, `kill -9` included; then the watcher
 * shuts the server down. The shell waits for the server and ends with it, so that a server which
 * fails is noticed at once. The watcher asks more than once: a shell's background job ignores SIGINT
 * until PostgreSQL has installed its own handler.
 */
const TIE = `exec 3<&0
"$@" </dev/null 3<&- & server=$!
(read -r _ <&3; for _ in 1 2 3 4 5; do kill -INT "$server" || break; sleep 1; done) 2>/dev/null & watcher=$!
exec 3<&-
wait "$server"; status=$?
kill "$watcher" 2>/dev/null
exit "$status"`;

/**
 * Starts the server and waits until it is ready. It gets a session of its own, so that Ctrl-C in the
 * terminal reaches us and not the server.
 * @throws TenantctlError with the end of the server's log when it does not start
 */
export async function launch(plan: LaunchPlan): Promise<Launched> {
  const log = await openLog(plan.cluster.logFile);
  const { child, end } = await spawnWatched(plan, log);
  const answer = await poll(async () => end.said() ?? readyPostmaster(plan.cluster.data), READY_MS);
  if (typeof answer === 'object') return { postmaster: answer, release: () => release(child, end) };
  closeTie(child);
  throw answer === undefined ? stillStarting(plan.cluster) : await explainEnd(answer, log, plan.cluster);
}

/** Watched from the first moment: an 'error' event that nobody listens to would end this process. */
async function spawnWatched(plan: LaunchPlan, log: LogMark): Promise<{ child: ChildProcess; end: End }> {
  try {
    const child = spawnServer(plan, log.descriptor);
    return { child, end: watchEnd(child) };
  } finally {
    await log.close();
  }
}

function spawnServer(
  { cluster, binaries, account, lifetime, settings }: LaunchPlan,
  log: number,
): ChildProcess {
  const pairs = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const server = [path.join(binaries.bin, 'postgres'), '-D', cluster.data, ...pairs] as const;
  const tied = lifetime === 'tied';
  const [file, args] = tied ? ['/bin/sh', ['-c', TIE, 'sh', ...server]] : [server[0], server.slice(1)];
  const child = spawn(file, args, {
    ...account.switchTo,
    env: SERVER_ENVIRONMENT,
    cwd: '/',
    detached: true,
    stdio: [tied ? 'pipe' : 'ignore', log, log],
  });
  // Neither the server nor its pipe keeps this process from ending.
  child.unref();
  (child.stdin as Socket | null)?.on('error', () => {}).unref();
  return child;
}

interface End {
  readonly reached: Promise<void>;
  /** How the process ended, or why it was never there; undefined while it runs. */
  said(): string | undefined;
}

function watchEnd(child: ChildProcess): End {
  let said: string | undefined;
  const reached = new Promise<void>((resolve) => {
    child.once('error', (error) => resolve(void (said = error.message)));
    child.once('exit', (status, signal) =>
      resolve(void (said = `it ended with ${signal ?? `status ${status}`}`)),
    );
  });
  return { reached, said: () => said };
}

async function readyPostmaster(data: string): Promise<Postmaster | undefined> {
  const postmaster = await livePostmaster(data);
  return postmaster?.status === 'ready' ? postmaster : undefined;
}

/** Waits for our own child, not for the server's id: only our wait turns its zombie into nothing. */
async function release(child: ChildProcess, end: End): Promise<void> {
  child.ref();
  closeTie(child);
  await end.reached;
}

function closeTie(child: ChildProcess): void {
  child.stdin?.end();
}

async function explainEnd(ending: string, log: LogMark, { data, logFile }: Cluster): Promise<TenantctlError> {
  const said = (await log.written()).trim() || ending;
  return explainFailure('The local server did not start', said, { data, log: logFile });
}

/** A free server goes on: a long recovery is worth more finished than killed. */
function stillStarting({ logFile }: Cluster): TenantctlError {
  const waited = `${READY_MS / 1000} s`;
  return connectionError('LOCAL_SERVER_NOT_READY', `The local server was not ready after ${waited}.`, {
    hint: `See ${logFile}; when it says that it recovers, run the command again later.`,
  });
}
