import { randomInt } from 'node:crypto';
import { isTenantctlError } from '../../core/errors.js';
import { Connection } from '../../pg/connection.js';
import { sql } from '../../pg/sql.js';
import type { ClusterContext, DoctorFinding } from './rule.js';

/**
 * The two-client proof: while one session holds a lock, another one must not get it. Behind a pooler that shares backends
 * both may be the same, even one that hands on the backend's own process id.
 */
export async function pooledProof({ fleet, cluster, session }: ClusterContext): Promise<DoctorFinding[]> {
  const { endpoint, maintenanceDatabase } = fleet.connections(cluster);
  const key = randomInt(2 ** 31);
  const other = await Connection.open(endpoint, maintenanceDatabase, 'tenantctl doctor');
  try {
    await session.rows(sql`select pg_advisory_lock(${PROOF}::int, ${key}::int)`);
    const row = await other.row<{ got: boolean; pid: number }>(
      sql`select pg_try_advisory_lock(${PROOF}::int, ${key}::int) as got, pg_backend_pid() as pid`,
    );
    return row?.got === true || row?.pid === session.pid ? [pooledFinding(cluster)] : [];
  } finally {
    await session.rows(sql`select pg_advisory_unlock(${PROOF}::int, ${key}::int)`);
    await other.close();
  }
}

/** A class of advisory locks that nothing else of ours uses. */
const PROOF = 1_952_804_470;

/** Was the connection refused because its process id is not its backend's? */
export function isPooledRefusal(error: unknown): boolean {
  return isTenantctlError(error) && error.code === 'POOLED_CONNECTION';
}

export function pooledFinding(cluster: string): DoctorFinding {
  return {
    rule: 'pooled-admin',
    level: 'error',
    where: cluster,
    message: `clusters.${cluster}.url leads to a pooler that gives one backend to several clients: locks and settings of sessions do not hold there, and one tenant may be served with another's`,
    hint: `Give the direct URL as clusters.${cluster}.url, and the pooler as clusters.${cluster}.app: { host, port }.`,
    facts: { cluster },
  };
}
