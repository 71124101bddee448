import { setTimeout as sleep } from 'node:timers/promises';
import { isTenantctlError } from '../core/errors.js';
import { sqlstateOf } from './errors.js';

/** Failures that pass: a lock not granted in time, a deadlock, a serialisation conflict. */
const PASSING = new Set(['55P03', '40P01', '40001']);
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

/**
 * Runs `work` again when it met a lock, after growing pauses with jitter. `work` must leave nothing
 * behind when it fails. This is the only place that retries locks.
 * @param retries how many times after the first
 * @param alsoPassing further SQLSTATEs that are worth another try
 */
export async function withLockRetry<T>(
  retries: number,
  alsoPassing: ReadonlySet<string>,
  work: () => Promise<T>,
): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      const state = stateOf(error) ?? '';
      if (attempt >= retries || !(PASSING.has(state) || alsoPassing.has(state))) throw error;
      await sleep(pause(attempt));
    }
  }
}

function stateOf(error: unknown): string | null {
  if (!isTenantctlError(error)) return sqlstateOf(error);
  return typeof error.facts['sqlstate'] === 'string' ? error.facts['sqlstate'] : null;
}

/** Full jitter: rivals that met once do not meet again. */
function pause(attempt: number): number {
  return Math.random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt);
}
