import { setTimeout as sleep } from 'node:timers/promises';
import { type TenantctlError, isTenantctlError } from '../../../core/errors.js';
import { type Blocker, blockersOf, describeBlocker } from '../../../pg/blockers.js';
import type { Connection } from '../../../pg/connection.js';
import { withBlockers } from '../lock-queue.js';
import type { Step } from './step.js';

/** The first look comes after this, so that a short statement costs no second connection. */
const LOOK_MS = 500;

/**
 * Runs a statement that waits for others to end, and tells for whom: older snapshots in the same database hold up
 * everything that says CONCURRENTLY. A second connection looks; where none can be had nothing is told.
 */
export async function reportingWaits<T>(
  step: Pick<Step, 'connection' | 'target'>,
  work: () => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const seen: Seen = { blockers: [] };
  watch(step, over.signal, seen).catch(() => undefined);
  try {
    return await work();
  } catch (error) {
    throw isTimeout(error) ? withBlockers(error, seen.blockers) : error;
  } finally {
    over.abort();
  }
}

interface Seen {
  blockers: readonly Blocker[];
}

async function watch(
  { connection, target }: Pick<Step, 'connection' | 'target'>,
  over: AbortSignal,
  seen: Seen,
): Promise<void> {
  await pause(over);
  await target.watch?.(async (observer: Connection) => {
    while (!over.aborted) {
      const blockers = await blockersOf(observer, connection.pid);
      if (news(seen.blockers, blockers))
        target.onStep?.(`waits for ${blockers.map(describeBlocker).join(', ')}`);
      else if (seen.blockers.length > 0 && blockers.length === 0)
        target.onStep?.('nobody is in its way any more');
      seen.blockers = blockers;
      await pause(over);
    }
  });
}

const pause = (over: AbortSignal): Promise<void> => sleep(LOOK_MS, undefined, { signal: over, ref: false });

function news(before: readonly Blocker[], now: readonly Blocker[]): boolean {
  return now.some(({ pid }) => before.every((known) => known.pid !== pid));
}

function isTimeout(error: unknown): error is TenantctlError {
  return isTenantctlError(error) && ['57014', '55P03'].includes(String(error.facts['sqlstate']));
}
