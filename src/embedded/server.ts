import { existsSync } from 'node:fs';
import { configError } from '../core/errors.js';
import { locateBinaries } from './binaries.js';
import { clustersOf, type Cluster } from './cluster.js';
import type { Environment } from './environment.js';
import { translateFailures } from './failure.js';
import { findHome, makeDirectory } from './home.js';
import type { Lifetime } from './launch.js';
import { describeServer, type LocalServer } from './local-server.js';
import { withLock } from './lock.js';
import { clusterForMajor } from './majors.js';
import { livePostmaster, settledPostmaster, stopPostmaster } from './postmaster.js';
import { makeCluster, startCluster, type StartPlan } from './start.js';

export type { LocalServer } from './local-server.js';

export interface LocalServerOptions {
  /** The project's own folder for it, such as `<project>/.tenantctl`; made when it is not there. */
  directory: string;
  /** `tied`: the server goes with this process, `kill -9` included; `free`: the next command adopts it. */
  lifetime: Lifetime;
  /** PostgreSQL settings over those of settings.ts, for as long as the server runs. */
  settings?: Readonly<Record<string, string>>;
  /** The directory of a stopped local server to copy, where this one has no cluster yet; passwords included. */
  from?: string;
  /** TENANTCTL_PG_BIN, TENANTCTL_PG_USER, XDG_CACHE_HOME and HOME are read from it; default: process.env. */
  env?: Environment;
}

const SETTLE_MS = 60_000;

/**
 * Gives a running local server: adopts the one that runs in this directory, or starts it, making its
 * cluster first where there is none. Two processes that call it at once share one server.
 * @throws TenantctlError saying what is wrong and what to do: no usable binaries, data of another
 *   version, another user's server, a port clash, a full disk…
 */
export async function startLocalServer(options: LocalServerOptions): Promise<LocalServer> {
  return translateFailures('The local server did not start', async () => {
    assertSupported();
    const { directory, lifetime, settings = {}, from, env = process.env } = options;
    const located = await locateBinaries(env);
    const plan: StartPlan = { directory, located, lifetime, settings, from, env };
    await makeDirectory(directory);
    // Adopting is a matter of milliseconds and changes nothing: it needs no lock.
    return (await adoptFor(plan)) ?? withLock(directory, async () => (await adoptFor(plan)) ?? start(plan));
  });
}

/** The server that runs in this directory, whatever its version; nothing is started or written. */
export async function findLocalServer(directory: string): Promise<LocalServer | undefined> {
  return translateFailures('The local server could not be looked up', async () => {
    for (const cluster of await clustersOf(await findHome(directory))) {
      const server = await adopt(cluster);
      if (server) return server;
    }
    return undefined;
  });
}

/**
 * Stops what runs in this directory, and returns when it is gone. It waits for a start that is under way.
 * @returns whether there was anything to stop
 */
export async function stopLocalServer(directory: string): Promise<boolean> {
  if (!existsSync(directory)) return false;
  // What runs is stopped without the lock, which cannot be written when the disk is full.
  return translateFailures(
    'The local server was not stopped',
    async () => (await stopRunning(directory)) || withLock(directory, () => stopRunning(directory)),
  );
}

async function stopRunning(directory: string): Promise<boolean> {
  const clusters = await clustersOf(await findHome(directory));
  const found = await Promise.all(clusters.map(({ data }) => livePostmaster(data)));
  const running = found.filter((postmaster) => postmaster !== undefined);
  await Promise.all(running.map(stopPostmaster));
  return running.length > 0;
}

async function adoptFor({ directory, located }: StartPlan): Promise<LocalServer | undefined> {
  const cluster = await existingCluster(directory, located.major);
  return cluster && adopt(cluster);
}

async function adopt(cluster: Cluster): Promise<LocalServer | undefined> {
  const postmaster = await settledPostmaster(cluster.data, SETTLE_MS);
  return postmaster && describeServer(cluster, postmaster);
}

async function start(plan: StartPlan): Promise<LocalServer> {
  const cluster = (await existingCluster(plan.directory, plan.located.major)) ?? (await makeCluster(plan));
  const launched = await startCluster(cluster, plan);
  return describeServer(cluster, launched.postmaster, launched);
}

async function existingCluster(directory: string, major: number): Promise<Cluster | undefined> {
  return clusterForMajor(await clustersOf(await findHome(directory)), major);
}

function assertSupported(): void {
  if (process.platform !== 'win32') return;
  throw configError('LOCAL_SERVER_UNSUPPORTED', 'The local server runs on Linux and macOS, not on Windows.', {
    hint: 'Set catalog.url to a PostgreSQL server, or work in WSL.',
  });
}
