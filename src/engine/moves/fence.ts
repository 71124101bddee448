import { conflictError } from '../../core/errors.js';
import type { Connection } from '../../pg/connection.js';
import { LOCK_CLASS } from '../../pg/locks.js';
import { type Sql, script, sql } from '../../pg/sql.js';
import { type Home, placementOf } from '../local/placements.js';
import type { Side } from '../rows/side.js';

/** How long the cut-over may take and how it is bounded, in milliseconds. */
export interface FenceLimits {
  /** Writers wait from the moment that the lock is asked for; null where they wait for the whole copy. */
  maxPauseMs: number | null;
}

/** What the cut-over took, in milliseconds, up to the commit that decides. */
export interface Pause {
  fenceWaitMs: number;
  /** When the lock was asked for, on the clock of `performance.now()`: writers wait from then on. */
  asked: number;
}

/** The queue is resolved by the deadlock detector after a second; a wait must have ended before that. */
const LONGEST_WAIT_MS = 500;
/** The server ends a session that sits in the fence and does nothing: a hung mover does not hold writers. */
const LEASE_MS = 5_000;
const WHOLE_COPY_LEASE_MS = 60_000;

/** Too slow: nothing was decided, and writers have gone on. */
export const FENCE_EXCEEDED = 'FENCE_EXCEEDED';

/**
 * Holds the writers of the tenant while `decide` runs, in one transaction of the source's session. The commit at the
 * end of it is the point of no return: it says `moved` in the very session that holds the lock, so nobody can write
 * between the last look and the decision. When the session dies before, the lock goes and the tenant stays.
 *
 * @param decide the last cycle; it gives the statements that say where the tenant has gone
 * @throws conflict `FENCE_EXCEEDED` (exit 5) when it would take longer than the limit; nothing was decided then
 * @throws SQLSTATE 55P03 when writers did not let go in time
 */
export async function inFence(
  session: Connection,
  tenant: string,
  { maxPauseMs }: FenceLimits,
  decide: () => Promise<Sql[]>,
): Promise<Pause> {
  const asked = performance.now();
  let held = asked;
  const assertInTime = (): void => {
    const took = performance.now() - asked;
    if (maxPauseMs !== null && took > maxPauseMs) throw exceeded(took, maxPauseMs);
  };
  const begin = [
    // Each statement sees what the writers that were waited for have committed.
    'begin isolation level read committed',
    `set local idle_in_transaction_session_timeout = ${maxPauseMs === null ? WHOLE_COPY_LEASE_MS : LEASE_MS}`,
    `set local statement_timeout = ${maxPauseMs === null ? 0 : Math.max(1, Math.ceil(maxPauseMs))}`,
    `set local lock_timeout = ${Math.max(1, Math.min(LONGEST_WAIT_MS, Math.ceil((maxPauseMs ?? Infinity) / 2)))}`,
    sql`select pg_advisory_xact_lock(${LOCK_CLASS.fence}, hashtext(${tenant}))`.text(),
  ].join('; ');
  await session.transaction(async () => {
    held = performance.now();
    const decision = await decide();
    assertInTime();
    await session.message(script(decision));
    assertInTime();
  }, begin);
  return { fenceWaitMs: held - asked, asked };
}

/**
 * The statements of the point of no return: the home says where its tenant has gone, and it shuts.
 * @param driver who may decide; a mover that was taken over writes no row here and must not commit
 */
export function departure(
  side: Side,
  move: string,
  driver: string,
  next: Home,
  leaving: readonly Sql[],
): Sql[] {
  const { cluster, tier, database, schema } = next.placement;
  const home = { tenant: next.tenant.id, cluster, tier, database, schema, epoch: next.epoch };
  return [
    // A division by zero is the server's own refusal, inside the message that decides.
    // Locked, so that whoever takes the move over waits here and then sees what was decided.
    sql`with ours as (
        select from tenantctl.move where move = ${move} and side = ${side.name} and driver = ${driver} for update),
      left_home as (
        update tenantctl.placement set state = 'moved', home = ${JSON.stringify(home)}::jsonb, changed_at = now()
         where ${placementOf(side.home)} and state in ('active', 'moving') and exists (select from ours)
        returning 1)
      select 1 / count(*) from left_home`,
    ...leaving,
    sql`select pg_notify('tenantctl', ${JSON.stringify(home)})`,
  ];
}

function exceeded(took: number, limit: number) {
  return conflictError(
    FENCE_EXCEEDED,
    `The cut-over would have held writes for more than ${Math.round(limit)} ms (${Math.round(took)} ms so far), so it was given up.`,
    {
      hint: 'Writers have gone on. It is tried again when there is less to do.',
      facts: { tookMs: took, limitMs: limit },
    },
  );
}
