import type { UnitLimits } from '../../core/settings.js';
import { type Sql, sql } from '../../pg/sql.js';
import { effectsOf } from './locks/effects.js';
import type { Migration } from './migration.js';

/** How long one statement may wait for a lock, and how long it may take in all; 0 for no limit. */
export interface StatementLimits {
  lockTimeoutMs: number;
  statementTimeoutMs: number;
}

/** Limits of a statement while nobody is blocked by what its transaction holds. */
export function usualLimits({ rollout }: { rollout: UnitLimits }): StatementLimits {
  return { lockTimeoutMs: rollout.lockTimeoutMs, statementTimeoutMs: rollout.statementTimeoutMs };
}

/**
 * Limits from the first statement on that takes a lock which blocks others.
 * @param queueMs how long it may stand in the queue: whoever comes later waits behind it, readers too
 */
export function blockingLimits({ rollout }: { rollout: UnitLimits }, queueMs: number): StatementLimits {
  const { blockingTimeoutMs, statementTimeoutMs } = rollout;
  return { lockTimeoutMs: queueMs, statementTimeoutMs: Math.min(blockingTimeoutMs, statementTimeoutMs) };
}

/**
 * Limits of a statement with CONCURRENTLY. It blocks nobody, and waits for older transactions to end: a lock
 * timeout would only leave an invalid index each time.
 */
export function concurrentLimits({ rollout }: { rollout: UnitLimits }): StatementLimits {
  return { lockTimeoutMs: 0, statementTimeoutMs: rollout.statementTimeoutMs };
}

/** The two settings, as items of a SELECT. */
export function limitSettings(limits: StatementLimits, isLocal: boolean): Sql {
  return sql`set_config('lock_timeout', ${`${limits.lockTimeoutMs}ms`}, ${isLocal}),
    set_config('statement_timeout', ${`${limits.statementTimeoutMs}ms`}, ${isLocal})`;
}

/** The first statement of a file that takes a lock which blocks others; its transaction keeps it to the end. */
export function firstBlocking(migration: Migration): number | null {
  return effectsOf(migration).find(({ blocks }) => blocks !== 'nothing')?.statement ?? null;
}

/** Does one statement of a file take such a lock by itself? */
export function isBlocking(migration: Migration, statement: number): boolean {
  return effectsOf(migration).some((effect) => effect.statement === statement && effect.blocks !== 'nothing');
}
