import { formatDuration } from '../core/duration.js';
import { groupBy } from '../core/group-by.js';
import type { LockMode } from '../core/lock-mode.js';
import { redact } from '../core/redact.js';
import type { Connection } from './connection.js';
import { type LockClass, heldLock } from './locks.js';
import { type Sql, sql } from './sql.js';

/** A session that keeps another one waiting, as far as the administrator may see it. */
export interface Blocker {
  /** 0 for a prepared transaction, which has no session. */
  pid: number;
  user: string | null;
  application: string | null;
  /** Null without pg_read_all_stats, like the time. */
  state: string | null;
  sinceMs: number | null;
  /** It gives way to whoever waits longer than `deadlock_timeout` (1 s), and to nobody else. */
  autovacuum: boolean;
}

/** A session that holds a lock on a table; `transaction` tells its next transaction from this one. */
export interface Holder extends Blocker {
  transaction: string;
}

/** A table or index, and the modes of its lock that matter. */
export interface WantedLock {
  schema: string;
  relation: string;
  modes: readonly LockMode[];
}

/** A background process has no user; among those that lock tables it is an autovacuum worker. */
const WHO: Sql = sql`a.usename as "user", nullif(a.application_name, '') as application, a.state,
  (extract(epoch from now() - a.state_change) * 1000)::float8 as "sinceMs",
  a.pid is not null and a.usesysid is null as autovacuum`;

/**
 * The sessions that hold one of these locks, or one on a partition or (for an index) on the table of it.
 * Nothing is queued for, so nobody is kept waiting by the question.
 */
export async function holdersOf(connection: Connection, wanted: readonly WantedLock[]): Promise<Holder[]> {
  if (wanted.length === 0) return [];
  return connection.rows<Holder>(sql`
    with recursive wanted (schema, name, modes) as (
      select * from unnest(${wanted.map(({ schema }) => schema)}::text[], ${wanted.map(({ relation }) => relation)}::text[],
        ${wanted.map(({ modes }) => modes.map(modeInViews).join())}::text[])
    ), named (oid, modes) as (
      select c.oid, w.modes from wanted w
        join pg_namespace n on n.nspname = w.schema join pg_class c on c.relnamespace = n.oid and c.relname = w.name
    ), concerned (oid, modes) as (
      select oid, modes from named
      union select i.indrelid, w.modes from named w join pg_index i on i.indexrelid = w.oid
      union select p.inhrelid, c.modes from concerned c join pg_inherits p on p.inhparent = c.oid
    )
    select distinct on (l.pid, l.virtualtransaction) coalesce(l.pid, 0) as pid,
           l.virtualtransaction as transaction, ${WHO}
      from concerned c
      join pg_locks l on l.locktype = 'relation' and l.relation = c.oid and l.granted
       and l.database = (select oid from pg_database where datname = current_database())
       and l.mode = any (string_to_array(c.modes, ',')) and l.pid is distinct from pg_backend_pid()
      left join pg_stat_activity a on a.pid = l.pid`);
}

/** Who keeps a session waiting at this moment, whatever it waits for: tables, rows, old snapshots. */
export async function blockersOf(connection: Connection, pid: number): Promise<Blocker[]> {
  return connection.rows<Blocker>(sql`
    select distinct on (b.pid) b.pid, ${WHO}
      from unnest(pg_blocking_pids(${pid}::int)) as b (pid) left join pg_stat_activity a on a.pid = b.pid`);
}

/**
 * The same for the sessions that hold advisory locks of one class in this database, by the name of the lock. Names
 * whose session waits for nobody, or is not there, are left out.
 */
export async function blockersUnderLock(
  connection: Connection,
  kind: LockClass,
  names: readonly string[],
): Promise<Map<string, Blocker[]>> {
  const rows = await connection.rows<Blocker & { name: string }>(sql`
    select distinct on (w.name, b.pid) w.name, b.pid, ${WHO}
      from unnest(${names}::text[]) as w (name)
      join pg_locks l on ${heldLock(kind, sql`w.name`)}
      cross join lateral unnest(pg_blocking_pids(l.pid)) as b (pid)
      left join pg_stat_activity a on a.pid = b.pid`);
  return groupBy(rows, ({ name }) => name);
}

/** `pid 812 \`reporting\` (idle in transaction for 14 min 2 s)` */
export function describeBlocker({ pid, user, application, state, sinceMs, autovacuum }: Blocker): string {
  if (pid === 0) return 'a prepared transaction (pg_prepared_xacts lists them)';
  if (autovacuum) return `pid ${pid} (autovacuum)`;
  const name = application ?? user;
  const who = name === null ? `pid ${pid}` : `pid ${pid} \`${redact(name)}\``;
  if (state === null) return `${who} (its state is shown to members of pg_read_all_stats)`;
  return `${who} (${state}${sinceMs === null ? '' : ` for ${formatDuration(sinceMs)}`})`;
}

/** `AccessExclusiveLock`: how pg_locks writes `ACCESS EXCLUSIVE`. */
function modeInViews(mode: LockMode): string {
  const words = mode.split(' ').map((word) => word.charAt(0) + word.slice(1).toLowerCase());
  return `${words.join('')}Lock`;
}
