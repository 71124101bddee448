import { conflictError } from '../../core/errors.js';
import { pause } from '../../core/pause.js';
import type { Connection } from '../../pg/connection.js';
import { type Sql, raw, sql } from '../../pg/sql.js';
import type { Side } from '../rows/side.js';

const PATIENCE_MS = 30_000;
const LOOK_EVERY_MS = 50;

interface OpenTransaction {
  transaction: string;
  pid: number;
  user: string;
  application: string;
}

/**
 * Waits for the transactions that began before a home was shut: whatever they still write there is then committed or
 * gone. In a pool every transaction counts, because one on an old snapshot still finds the home open. Those of the
 * administrator do not: they keep off a tenant that is being worked on by other means.
 * @throws conflict `TRANSACTIONS_OPEN` (exit 5) after half a minute, naming whose they are
 */
export async function waitForOpenTransactions(
  session: Connection,
  side: Side,
  signal: AbortSignal,
): Promise<void> {
  const until = performance.now() + PATIENCE_MS;
  const began = await openTransactions(session, side.shared ? raw('true') : writes(side));
  const names = began.map(({ transaction }) => transaction);
  let left = began;
  while (left.length > 0) {
    if (performance.now() > until || signal.aborted) throw stillOpen(side, left);
    await pause(LOOK_EVERY_MS, signal);
    left = await openTransactions(session, sql`o.transaction = any (${names}::text[])`);
  }
}

/**
 * Every transaction holds the lock on its own name for as long as it is open; anybody may read who holds locks. A prepared
 * one has no session any more, and what it wrote comes when it is committed: it counts wherever it wrote.
 */
async function openTransactions(session: Connection, condition: Sql): Promise<OpenTransaction[]> {
  return session.rows<OpenTransaction>(sql`
    select o.* from (
      select l.virtualxid as transaction, l.pid, a.usename::text as user, a.application_name as application
        from pg_locks l join pg_stat_activity a on a.pid = l.pid
       where l.locktype = 'virtualxid' and l.granted and l.mode = 'ExclusiveLock' and a.datname = current_database()
         and a.usename is not null and a.usename <> session_user
      union all
      select gid, 0, owner::text, 'prepared transaction ' || gid from pg_prepared_xacts
       where database = current_database()) o
     where ${condition} order by o.pid`);
}

/** Has it written to a table of the home? */
function writes({ home }: Side): Sql {
  return sql`o.pid = 0 or exists (select from pg_locks r join pg_class c on c.oid = r.relation
    join pg_namespace n on n.oid = c.relnamespace
    where r.pid = o.pid and r.locktype = 'relation' and n.nspname = ${home.placement.schema}
      and r.database = (select oid from pg_database where datname = current_database())
      and r.mode in ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock'))`;
}

function stillOpen({ home }: Side, open: readonly OpenTransaction[]) {
  const { database } = home.placement;
  const who = open
    .slice(0, 3)
    .map(({ pid, user, application }) => `${user} (${application || 'no name'}, pid ${pid})`);
  return conflictError(
    'TRANSACTIONS_OPEN',
    `Transactions that are older than the shutting of tenant ${home.tenant.id} are still open in database ${database}: ${who.join(', ')}.`,
    {
      hint: 'They may still write rows of it. Wait for them or end them, and run the same command again.',
      facts: { tenant: home.tenant.id, database, open },
    },
  );
}
