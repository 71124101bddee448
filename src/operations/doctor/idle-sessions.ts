import { formatDuration } from '../../core/duration.js';
import { LOCK_CLASS } from '../../pg/locks.js';
import { sql } from '../../pg/sql.js';
import type { ClusterContext, DoctorFinding } from './rule.js';

/** No step of any command leaves a session alone for so long, but for copies, deletions and pauses between waves. */
const IDLE_MS = 3_600_000;

interface IdleSession {
  pid: number;
  database: string;
  inTransaction: boolean;
  locks: boolean;
  ms: number;
}

/**
 * Sessions of this tool that have done nothing for an hour and yet keep something: a transaction, which holds back vacuum,
 * or locks that other commands wait for. That of a killed process ends within seconds; that of a stopped one does not.
 */
export async function idleSessions(
  { cluster, session }: ClusterContext,
  idleMs = IDLE_MS,
): Promise<DoctorFinding[]> {
  const idle = await session.rows<IdleSession>(sql`
    select * from (
      select a.pid, a.datname::text as database, a.state <> 'idle' as "inTransaction",
             extract(epoch from clock_timestamp() - a.state_change)::float8 * 1000 as ms,
             exists (select from pg_locks l where l.pid = a.pid and l.locktype = 'advisory' and l.granted
                       and l.classid = any (${Object.values(LOCK_CLASS)}::bigint[]::oid[])) as locks
        from pg_stat_activity a
       where a.usename = session_user and a.application_name like 'tenantctl/%' and a.pid <> pg_backend_pid()
         and a.state in ('idle', 'idle in transaction', 'idle in transaction (aborted)')) sessions
     where ms >= ${idleMs} and (locks or "inTransaction") order by pid`);
  return idle.map((each) => finding(cluster, each));
}

function finding(cluster: string, { pid, database, inTransaction, locks, ms }: IdleSession): DoctorFinding {
  const keeps = inTransaction ? 'a transaction, which holds back vacuum' : 'locks of a tenant, unit or run';
  const statement = `select pg_terminate_backend(${pid})`;
  return {
    rule: 'idle-session',
    level: 'warning',
    where: `${cluster}/${database}, pid ${pid}`,
    message: `a session of tenantctl has done nothing for ${formatDuration(ms)} and keeps ${keeps}`,
    hint: `A command that copies, deletes or waits between waves may look so. If none is at work, its process hangs or is stopped: end it, or ${statement};`,
    facts: { cluster, database, pid, inTransaction, locks, sql: [statement] },
  };
}
