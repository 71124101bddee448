import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { conflictError, type TenantctlError } from '../core/errors.js';
import type { Cluster } from './cluster.js';
import { notYours } from './failure.js';

/**
 * The cluster that binaries of this major version can run. A project has one: beside data of another
 * version no second, empty cluster is made, because a command would then see an empty fleet.
 * @returns undefined when there is no cluster at all
 * @throws conflictError when the data is of another version
 */
export async function clusterForMajor(clusters: Cluster[], major: number): Promise<Cluster | undefined> {
  const cluster = clusters.find((each) => each.major === major) ?? clusters[0];
  if (!cluster) return undefined;
  const held = await dataMajor(cluster);
  if (held === major) return cluster;
  throw otherMajor(cluster, held, major);
}

async function dataMajor({ directory, data }: Cluster): Promise<number> {
  try {
    return Number.parseInt(await readFile(path.join(data, 'PG_VERSION'), 'utf8'), 10);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EACCES') throw notYours(data, error);
    throw conflictError('LOCAL_SERVER_DAMAGED', `${data} is not a PostgreSQL data directory any more.`, {
      hint: `Restore it, or remove ${directory} to begin with an empty server.`,
      cause: error,
    });
  }
}

function otherMajor({ directory }: Cluster, held: number, major: number): TenantctlError {
  return conflictError(
    'LOCAL_SERVER_OTHER_MAJOR',
    `The local server's data in ${directory} is of PostgreSQL ${held}; the binaries are of PostgreSQL ${major}.`,
    {
      hint:
        `Set TENANTCTL_PG_BIN to the bin directory of a PostgreSQL ${held}, or move ${directory} away ` +
        `to begin with an empty PostgreSQL ${major}.`,
      facts: { directory, held, major },
    },
  );
}
