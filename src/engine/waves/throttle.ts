import { refusedError } from '../../core/errors.js';
import type { ThrottleSettings } from '../../core/settings.js';
import type { Fleet } from '../context.js';
import type { Connection } from '../../pg/connection.js';
import { isDatabaseError } from '../../pg/errors.js';
import { ident, raw, sql } from '../../pg/sql.js';

/**
 * Is one of the clusters under more strain than the policy allows?
 * @returns what exceeds which limit, as a sentence without its full stop, or null
 */
export async function strainOn(
  fleet: Fleet,
  clusters: Iterable<string>,
  limits: ThrottleSettings,
): Promise<string | null> {
  for (const name of clusters) {
    const connections = fleet.connections(name);
    const found = await connections.use(connections.maintenanceDatabase, (connection) =>
      strainOf(connection, name, limits),
    );
    if (found !== null) return found;
  }
  return null;
}

/** Does the policy throttle at all? */
export function throttles({ replicationLagMs, activeSessions, sql: query }: ThrottleSettings): boolean {
  return replicationLagMs !== null || activeSessions !== null || query !== null;
}

async function strainOf(
  connection: Connection,
  cluster: string,
  { replicationLagMs, activeSessions, sql: query }: ThrottleSettings,
): Promise<string | null> {
  if (activeSessions !== null) {
    const used = await connectionsInUse(connection);
    if (used > activeSessions)
      return `${Math.round(used)} % of the connections of cluster ${cluster} are in use; the limit is ${activeSessions} %`;
  }
  if (replicationLagMs !== null) {
    const lag = await replicationLag(connection, cluster);
    if (lag > replicationLagMs)
      return `a replica of cluster ${cluster} is ${Math.round(lag)} ms behind; the limit is ${replicationLagMs} ms`;
  }
  if (query !== null) {
    if ((await answer(connection, cluster, query)) === false)
      return `the throttle's query says false on cluster ${cluster}`;
  }
  return null;
}

/** @throws refusal `THROTTLE_FAILED` (exit 6): a question without an answer holds nothing back and nothing free */
async function answer(connection: Connection, cluster: string, query: string): Promise<unknown> {
  try {
    return Object.values((await connection.row(raw(query))) ?? {})[0];
  } catch (error) {
    if (!isDatabaseError(error)) throw error;
    throw refusedError(
      'THROTTLE_FAILED',
      `The throttle's query fails on cluster ${cluster}: ${error.message}`,
      {
        hint: 'Repair rollout.throttle.sql, or what it reads; `tenantctl runs abort` ends the run, whose policy is stored with it.',
        facts: { cluster, sqlstate: error.code },
        cause: error,
      },
    );
  }
}

/** Percent; counted without any right to look into other sessions. */
async function connectionsInUse(connection: Connection): Promise<number> {
  const row = await connection.row<{ percent: number }>(sql`
    select (sum(numbackends) * 100.0 / current_setting('max_connections')::int)::float8 as percent from pg_stat_database`);
  return row?.percent ?? 0;
}

/**
 * Milliseconds; 0 without replicas.
 * @throws refusal `THROTTLE_BLIND` (exit 6): who may not read all statistics sees no lag, however large it is
 */
async function replicationLag(connection: Connection, cluster: string): Promise<number> {
  const row = await connection.row<{ ms: number; sees: boolean }>(sql`
    select coalesce(max(extract(epoch from replay_lag) * 1000), 0)::float8 as ms,
           pg_has_role('pg_read_all_stats', 'usage') as sees from pg_stat_replication`);
  if (row?.sees === true) return row.ms;
  throw refusedError(
    'THROTTLE_BLIND',
    `The replication lag of cluster ${cluster} is hidden from ${connection.user}.`,
    {
      hint: `As a superuser: GRANT pg_read_all_stats TO ${ident(connection.user).text()}; or take rollout.throttle.replicationLag out.`,
      facts: { cluster },
    },
  );
}
