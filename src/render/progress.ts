import type { StampedEvent } from '../core/events.js';
import { formatDuration } from '../core/duration.js';
import { count } from './line.js';

/** What has happened so far, as a counter line tells it. */
export interface Progress {
  total: number | null;
  done: number;
  failed: number;
  startedAt: number;
}

export function startProgress(total: number | null, now: number): Progress {
  return { total, done: 0, failed: 0, startedAt: now };
}

/** Counts one finished unit. */
export function countUnit(progress: Progress, event: Extract<StampedEvent, { type: 'unit.finished' }>): void {
  progress.done += 1;
  if (event.outcome === 'failed') progress.failed += 1;
}

/** `1,200 of 5,000, 2 failed, 1 min 30 s` */
export function progressText({ total, done, failed, startedAt }: Progress, now: number): string {
  const of = total === null ? count(done) : `${count(done)} of ${count(total)}`;
  const failures = failed === 0 ? '' : `, ${count(failed)} failed`;
  return `${of}${failures}, ${formatDuration(now - startedAt)}`;
}
