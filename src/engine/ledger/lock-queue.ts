import { setTimeout as sleep } from 'node:timers/promises';
import { type LockMode, LOCK_MODES, blockedBy, conflictsOf } from '../../core/lock-mode.js';
import { type TenantctlError, isTenantctlError, partialError } from '../../core/errors.js';
import { type Blocker, type Holder, type WantedLock, describeBlocker, holdersOf } from '../../pg/blockers.js';
import type { Connection } from '../../pg/connection.js';
import { withLockRetry } from '../../pg/retry.js';
import type { MigrationAttempt, MigrationTarget } from './target.js';

/**
 * How long a statement that blocks readers or writers stands in the queue for its lock, while it can be tried
 * again. Whoever comes after it waits behind it, so this is how long an application may stand still.
 */
const QUEUE_MS = 300;
/** A look every so often, with jitter, while it waits outside the queue. */
const LOOK_MS = 50;

/** A lock that a failed statement waited for; the schema is the unit's unless the file names one. */
export interface MissedLock {
  relation: string;
  lock: LockMode;
}

/**
 * Runs `work` on a unit, again when it met a lock, within the tries that the rollout allows. Nothing of ours
 * stands at the head of the queue for a lock while somebody holds it: a try queues for a moment only. When that
 * was not enough, those who held the lock are remembered, and the next try begins when they have ended; until then
 * readers and writers pass. Transactions that begin meanwhile do not count, or a busy table would never be
 * tried. An autovacuum gives way only to one who waits for a second: against it a try queues for the whole
 * lock timeout.
 * @param alsoPassing further SQLSTATEs that are worth another try
 * @throws what `work` throws in the last try; a lock that was not granted names its holders
 */
export async function inLockQueue(
  connection: Connection,
  target: MigrationTarget,
  alsoPassing: ReadonlySet<string>,
  work: (attempt: MigrationAttempt) => Promise<void>,
): Promise<void> {
  const queue = new LockQueue(connection, target);
  await withLockRetry(target.rollout.retries, alsoPassing, async () => {
    const queueMs = await queue.turn();
    try {
      await work({ ...target, queueMs });
    } catch (error) {
      throw connection.usable ? await queue.explain(error) : error;
    }
  });
}

class LockQueue {
  private holders: Holder[] = [];
  private missed: readonly WantedLock[] = [];
  private failure: TenantctlError | undefined;
  private patient: boolean;

  constructor(
    private readonly connection: Connection,
    private readonly target: MigrationTarget,
  ) {
    // A single try has nobody to come back for it.
    this.patient = target.rollout.retries === 0;
  }

  /**
   * Waits, outside the queue, until a try is worth it.
   * @returns how long the try may queue
   * @throws the failure of the last try when its holders are still there after the lock timeout
   */
  async turn(): Promise<number> {
    const { lockTimeoutMs } = this.target.rollout;
    const deadline = performance.now() + lockTimeoutMs;
    const waits = this.holders.length > 0;
    if (waits)
      this.target.onStep?.(`waits for a lock, blocked by ${this.holders.map(describeBlocker).join(', ')}`);
    while (this.holders.length > 0) {
      if (performance.now() > deadline) throw this.failure;
      await sleep(LOOK_MS * (0.5 + Math.random()));
      await this.lookAgain();
    }
    if (waits) this.target.onStep?.('nobody is in its way any more: tries again');
    return this.patient ? lockTimeoutMs : Math.min(lockTimeoutMs, QUEUE_MS);
  }

  /** Names the blockers of a lock that was not granted. Every other error comes back as it is. */
  async explain(error: unknown): Promise<unknown> {
    this.holders = [];
    if (!isTenantctlError(error) || error.facts['sqlstate'] !== '55P03') return error;
    const locks = (error.facts['locks'] ?? []) as MissedLock[];
    this.missed = locks.map((missed) => this.wanted(missed));
    const holders = await holdersOf(this.connection, this.missed);
    const blocking = locks.some(({ lock }) => blockedBy(lock) !== 'nothing');
    if (blocking) this.await(holders);
    this.failure = withBlockers(error, holders.length > 0 ? holders : await this.rowHolders(locks));
    return this.failure;
  }

  private await(holders: Holder[]): void {
    this.holders = holders.filter(({ autovacuum }) => !autovacuum);
    this.patient ||= holders.length > 0 && this.holders.length === 0;
  }

  private async lookAgain(): Promise<void> {
    const now = await holdersOf(this.connection, this.missed);
    this.holders = now.filter(({ transaction }) =>
      this.holders.some((holder) => holder.transaction === transaction),
    );
    if (this.holders.length > 0 && this.failure !== undefined)
      this.failure = withBlockers(this.failure, this.holders);
  }

  /** Who waits under ROW EXCLUSIVE while nobody locks the table waits for rows: who may have locked some? */
  private async rowHolders(locks: readonly MissedLock[]): Promise<Holder[]> {
    const modes = LOCK_MODES.slice(LOCK_MODES.indexOf('ROW SHARE'));
    const rows = locks.filter(({ lock }) => lock === 'ROW EXCLUSIVE');
    return holdersOf(
      this.connection,
      rows.map((missed) => ({ ...this.wanted(missed), modes })),
    );
  }

  private wanted({ relation, lock }: MissedLock): WantedLock {
    const [first = '', second] = relation.split('.', 2);
    const modes = conflictsOf(lock);
    return second === undefined
      ? { schema: this.target.unit.schema, relation: first, modes }
      : { schema: first, relation: second, modes };
  }
}

const BLOCKED_BY = '\n  blocked by ';

/** The same failure, saying who kept the statement waiting. */
export function withBlockers(error: TenantctlError, blockers: readonly Blocker[]): TenantctlError {
  if (blockers.length === 0) return error;
  const [said] = error.message.split(BLOCKED_BY);
  const names = blockers.map(describeBlocker).join(', ');
  return partialError(error.code, `${said}${BLOCKED_BY}${names}`, {
    hint: `Let it end, or end it with pg_terminate_backend, and run the same command again.`,
    facts: {
      ...error.facts,
      blockers: blockers.map(({ pid, user, application, state, sinceMs }) => ({
        pid,
        user,
        application,
        state,
        sinceMs,
      })),
    },
    cause: error.cause,
  });
}
