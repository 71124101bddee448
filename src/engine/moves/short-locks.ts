import { conflictError } from '../../core/errors.js';
import { conflictsOf } from '../../core/lock-mode.js';
import { describeBlocker, holdersOf } from '../../pg/blockers.js';
import type { Connection } from '../../pg/connection.js';
import { sqlstateOf } from '../../pg/errors.js';
import { withLockRetry } from '../../pg/retry.js';
import { type Sql, raw } from '../../pg/sql.js';
import type { Side } from '../rows/side.js';

/** Writers of a table queue behind whoever waits to put a trigger on it, so nobody waits for long, but often. */
const LOCK_TIMEOUT_MS = 100;
const TRIES = 12;
/** An autovacuum gives way to who has waited for `deadlock_timeout` (1 s): now and then it is worth that. */
const LONG_LOCK_TIMEOUT_MS = 1_500;
const LONG_EVERY = 6;

/**
 * Runs statements on the triggers of one table in one transaction, again and again until the lock is granted quickly.
 * @throws conflict `TABLE_LOCKED` (exit 5) that names who holds it, after some fifteen seconds
 */
export async function withShortLocks(
  session: Connection,
  side: Side,
  table: string,
  statements: readonly Sql[],
): Promise<void> {
  let attempt = 0;
  try {
    await withLockRetry(TRIES, new Set(), () => {
      attempt += 1;
      const patience = attempt % LONG_EVERY === 0 ? LONG_LOCK_TIMEOUT_MS : LOCK_TIMEOUT_MS;
      return session.atomically([raw(`set local lock_timeout = ${patience}`), ...statements]);
    });
  } catch (error) {
    throw sqlstateOf(error) === '55P03' ? await tableLocked(session, side, table, error) : error;
  }
}

async function tableLocked(session: Connection, { home }: Side, table: string, cause: unknown) {
  const { schema, database } = home.placement;
  const modes = conflictsOf('ACCESS EXCLUSIVE');
  const holders = await holdersOf(session, [{ schema, relation: table, modes }]);
  const blockers = holders.map(describeBlocker);
  const by = blockers.length === 0 ? 'somebody who has just let go' : blockers.join(', ');
  return conflictError(
    'TABLE_LOCKED',
    `Table ${schema}.${table} of database ${database} could not be given its triggers for tenant ${home.tenant.id}: it is held by ${by}.`,
    {
      hint: 'End that transaction, or wait for it, and run the same command again.',
      facts: { tenant: home.tenant.id, table, blockers },
      cause,
    },
  );
}
