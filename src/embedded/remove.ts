import { rm, rmdir } from 'node:fs/promises';
import { clustersOf } from './cluster.js';
import { translateFailures } from './failure.js';
import { findHome } from './home.js';
import { stopLocalServer } from './server.js';

/** Stops the local server of a directory and removes it with all its data, wherever those are. */
export async function removeLocalServer(directory: string): Promise<void> {
  await stopLocalServer(directory);
  await translateFailures('The local server was not removed', async () => {
    const home = await findHome(directory);
    for (const cluster of await clustersOf(home)) await remove(cluster.directory);
    await remove(directory);
    // A home elsewhere is left empty; where something else is in it, it stays.
    if (home !== undefined) await rmdir(home).catch(() => undefined);
  });
}

async function remove(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 20 });
}
