import { pause } from '../../core/pause.js';
import type { Connection } from '../../pg/connection.js';
import { sql } from '../../pg/sql.js';

/** A session that may still write to a home which was shut after it had begun. */
export interface OldSession {
  pid: number;
  user: string;
  application: string;
}

const LOOK_EVERY_MS = 100;

/**
 * Waits until nobody in this database is in a transaction from before this call: such a one may not have seen that the
 * home was shut, and would leave rows behind those that are deleted.
 * @param patienceMs how long at most
 * @returns who is still there; empty when all is quiet
 */
export async function waitForOldSessions(
  session: Connection,
  patienceMs: number,
  signal: AbortSignal,
): Promise<OldSession[]> {
  const marker = await session.row<{ xid: string }>(sql`select pg_current_xact_id()::xid::text as xid`);
  const until = performance.now() + patienceMs;
  for (;;) {
    const old = await olderThan(session, marker?.xid ?? '');
    if (old.length === 0 || performance.now() > until || signal.aborted) return old;
    await pause(LOOK_EVERY_MS, signal);
  }
}

/**
 * Both ages are shown of everybody's sessions; a server process of its own has no user, and writes no rows. A prepared
 * transaction has no session at all, and its rows come when it is committed.
 */
async function olderThan(session: Connection, xid: string): Promise<OldSession[]> {
  return session.rows<OldSession>(sql`
    select pid, usename::text as user, application_name as application from pg_stat_activity
     where datname = current_database() and pid <> pg_backend_pid() and usename is not null
       and (age(backend_xid) >= age(${xid}::xid) or age(backend_xmin) >= age(${xid}::xid))
    union all
    select 0, owner::text, 'prepared transaction ' || gid from pg_prepared_xacts
     where database = current_database() and age(transaction) >= age(${xid}::xid) order by 1`);
}
