import type { StampedEvent, UnitOutcome } from '../core/events.js';
import { formatDuration } from '../core/duration.js';
import { count } from '../core/counted.js';

/** What has happened so far, as a counter line tells it. */
export interface Progress {
  total: number | null;
  failed: number;
  rolledBack: number;
  startedAt: number;
  /** How each finished unit stands: one that is taken back or tried again ends twice. */
  outcomes: Map<string, UnitOutcome>;
}

export function startProgress(total: number | null, now: number): Progress {
  return { total, failed: 0, rolledBack: 0, startedAt: now, outcomes: new Map() };
}

/** Counts one finished unit. */
export function countUnit(
  progress: Progress,
  { unit, outcome }: Extract<StampedEvent, { type: 'unit.finished' }>,
): void {
  addTo(progress, progress.outcomes.get(unit), -1);
  addTo(progress, outcome, 1);
  progress.outcomes.set(unit, outcome);
}

function addTo(progress: Progress, outcome: UnitOutcome | undefined, value: number): void {
  if (outcome === 'failed') progress.failed += value;
  if (outcome === 'rolledBack') progress.rolledBack += value;
}

/** `1,200 of 5,000, 2 failed, 1 min 30 s` */
export function progressText(progress: Progress, now: number): string {
  const { total, outcomes, failed, rolledBack, startedAt } = progress;
  const of = total === null ? count(outcomes.size) : `${count(outcomes.size)} of ${count(total)}`;
  const some = (value: number, word: string) => (value === 0 ? '' : `, ${count(value)} ${word}`);
  return `${of}${some(failed, 'failed')}${some(rolledBack, 'rolled back')}, ${formatDuration(now - startedAt)}`;
}
