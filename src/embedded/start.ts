import { setTimeout as sleep } from 'node:timers/promises';
import { isTenantctlError } from '../core/errors.js';
import { accountForData, accountForNewServer } from './account.js';
import { usableBinaries, type Located } from './binaries.js';
import { readRecord, writeRecord, type Cluster } from './cluster.js';
import type { Environment } from './environment.js';
import { chooseHome } from './home.js';
import { copyCluster, initialiseCluster } from './initialise.js';
import { launch, type Launched, type LaunchPlan, type Lifetime } from './launch.js';
import { choosePort } from './port.js';
import { cacheDirectory } from './private-copy.js';
import { dropMisleadingPidFile } from './postmaster.js';
import { serverSettings } from './settings.js';

/** What a start under the lock needs to know. */
export interface StartPlan {
  readonly directory: string;
  readonly located: Located;
  readonly lifetime: Lifetime;
  readonly settings: Readonly<Record<string, string>>;
  readonly from: string | undefined;
  readonly env: Environment;
}

const PATIENCE_MS = 10_000;
const PAUSE_MS = 100;

/** Makes the project's first cluster. Call it under the lock. */
export async function makeCluster({ directory, located, from, env }: StartPlan): Promise<Cluster> {
  const account = accountForNewServer(env);
  const home = await chooseHome(directory, account);
  const { major } = located;
  if (from !== undefined) return copyCluster({ home, major }, from);
  const binaries = await usableBinaries(located, account, cacheDirectory(env));
  return initialiseCluster({ home, major, account, binaries });
}

/** Starts a cluster that no server is running on. Call it under the lock. */
export async function startCluster(cluster: Cluster, plan: StartPlan): Promise<Launched> {
  const account = await accountForData(cluster.data);
  const binaries = await usableBinaries(plan.located, account, cacheDirectory(plan.env));
  await dropMisleadingPidFile(cluster.data);
  const { lifetime } = plan;
  const launched = await launchPatiently(cluster, plan.settings, (settings) =>
    launch({ cluster, binaries, account, lifetime, settings }),
  );
  await writeRecord(cluster, { port: launched.postmaster.port, version: binaries.version });
  return launched;
}

/**
 * Tries again where a moment's patience helps: when another program took the port between our look and the
 * server's, and while the last processes of a killed server are going.
 */
async function launchPatiently(
  cluster: Cluster,
  wanted: StartPlan['settings'],
  attempt: (settings: LaunchPlan['settings']) => Promise<Launched>,
): Promise<Launched> {
  const deadline = performance.now() + PATIENCE_MS;
  const last = await readRecord(cluster);
  for (;;) {
    try {
      return await attempt(serverSettings(await choosePort(last?.port), wanted));
    } catch (error) {
      if (!isPassing(error, wanted) || performance.now() > deadline) throw error;
      await sleep(PAUSE_MS);
    }
  }
}

function isPassing(error: unknown, wanted: StartPlan['settings']): boolean {
  if (!isTenantctlError(error)) return false;
  if (error.code === 'LOCAL_SERVER_PORT_TAKEN') return wanted['port'] === undefined;
  return error.code === 'LOCAL_SERVER_ORPHANS';
}
