import { formatDuration } from '../core/duration.js';
import type { StampedEvent } from '../core/events.js';
import { oneLine } from './line.js';

export type Waiting = Extract<StampedEvent, { type: 'wave.waiting' }>;

/** What a wave waits for, as a verb and its object: `waits for approval: tenantctl runs approve 6f…` */
export function waitingText(waiting: Waiting, now: number): string {
  const left = leftText(waiting.until, now);
  switch (waiting.for) {
    case 'approval':
      return `waits for approval: tenantctl runs approve ${waiting.run}`;
    case 'bake':
      return `bakes${left}`;
    case 'window':
      return `waits for its time window${left}: ${oneLine(waiting.reason)}`;
    case 'throttle':
      return `waits for the load to fall${left}: ${oneLine(waiting.reason)}`;
    case 'move':
      return `waits for a move to let go of ${oneLine(waiting.reason)}`;
  }
}

/** The clocks of two machines differ, so what has passed here may still have to pass there. */
function leftText(until: string | null, now: number): string {
  if (until === null) return '';
  const left = Date.parse(until) - now;
  return left > 0 ? `, ${formatDuration(left)} left` : ', any moment now';
}
