import { stronger } from '../../core/lock-mode.js';
import { formatDuration } from '../../core/duration.js';
import type { DatabaseError } from '../../pg/errors.js';
import type { StatementEffect } from './locks/effect.js';
import { effectsOf } from './locks/effects.js';
import type { MissedLock } from './lock-queue.js';
import { remedyFor } from './locks/remedy.js';
import type { SourcePlace } from './message.js';
import type { MigrationTarget } from './target.js';

/** An error of the server, with what the limits of the configuration have to do with it. */
export function inWordsOfLimits(target: MigrationTarget, error: DatabaseError, place: SourcePlace | null) {
  if (error.code === '55P03') return { error, facts: { locks: locksAt(place) } };
  const limit = limitReached(target, error, place);
  if (limit === undefined) return { error, facts: {} };
  const { code } = error;
  const { text: message, hint, facts } = limit;
  return { error: { ...error, code, message, hint }, facts };
}

/** The locks that the statement there may have waited for: its own, or where it is one of ours the file's. */
function locksAt(place: SourcePlace | null): MissedLock[] {
  if (place === null) return [];
  return effectsOf(place.migration)
    .filter(({ statement }) => place.statement === null || statement === place.statement)
    .flatMap(({ relation, lock }) => (relation === null ? [] : [{ relation, lock }]));
}

/** Which limit of the configuration ended a statement, in words. */
interface LimitFault {
  text: string;
  hint: string;
  facts: Record<string, unknown>;
}

/** A statement ended by one of our timeouts; undefined for every other error, also where a person cancelled it. */
function limitReached(
  { rollout }: MigrationTarget,
  error: DatabaseError,
  place: SourcePlace | null,
): LimitFault | undefined {
  if (error.code !== '57014' || /user request/.test(error.message)) return undefined;
  const held = place === null ? [] : blockingAt(place);
  if (place === null || held.length === 0 || rollout.statementTimeoutMs < rollout.blockingTimeoutMs) {
    return {
      text: `stopped after ${formatDuration(rollout.statementTimeoutMs)}, the rollout.statementTimeout`,
      hint: 'Do less in one statement, or raise rollout.statementTimeout.',
      facts: { limit: 'rollout.statementTimeout', limitMs: rollout.statementTimeoutMs },
    };
  }
  const lock = held.map((effect) => effect.lock).reduce(stronger);
  const worst = held.filter((effect) => effect.lock === lock);
  const tables = [...new Set(worst.map(({ relation }) => relation ?? 'a table'))].join(', ');
  return {
    text: `stopped after ${formatDuration(rollout.blockingTimeoutMs)}, the rollout.blockingTimeout: ${lock} on ${tables} blocks ${worst[0]?.blocks}`,
    hint: `${remedyFor(place.migration.statements[place.statement ?? -1], at(place))} Or raise rollout.blockingTimeout.`,
    facts: {
      limit: 'rollout.blockingTimeout',
      limitMs: rollout.blockingTimeoutMs,
      locks: held.map(({ relation, lock: mode }) => ({ relation, lock: mode })),
    },
  };
}

const at = ({ migration, statement }: SourcePlace): StatementEffect[] =>
  effectsOf(migration).filter((effect) => effect.statement === statement);

/** Blocking locks that are held at a place: a transaction keeps those of the statements before it. */
function blockingAt({ migration, statement }: SourcePlace): StatementEffect[] {
  const apart = migration.directives.noTransaction;
  return effectsOf(migration).filter(
    (effect) =>
      effect.blocks !== 'nothing' &&
      (statement === null || (apart ? effect.statement === statement : effect.statement <= statement)),
  );
}
