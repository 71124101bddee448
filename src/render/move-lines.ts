import { shortId } from '../core/short-id.js';
import { formatDuration } from '../core/duration.js';
import type { StampedEvent } from '../core/events.js';
import type { Colors } from './colors.js';
import { count } from '../core/counted.js';
import { oneLine } from './line.js';
import { rateText } from './rate.js';

export type MoveEvent = Extract<StampedEvent, { type: `move.${string}` }>;

/** Does an event speak of a move? */
export function isMoveEvent(event: StampedEvent): event is MoveEvent {
  return event.type.startsWith('move.');
}

/** How far the move of one tenant has come, as its events tell it. */
export class MoveProgress {
  private tenant = 'tenant';
  private doing: string | null = null;
  private rows = 0;
  private readonly startedAt: number;
  private copyStartedAt: number | undefined;

  constructor(now: number) {
    this.startedAt = now;
  }

  note(event: MoveEvent, now: number): void {
    if (event.type === 'move.progress') {
      this.copyStartedAt ??= now;
      this.rows = event.rows;
      return;
    }
    this.tenant = event.tenant;
    // A new step: the rows of the one before are not its own.
    this.copyStartedAt = undefined;
    this.doing = event.type === 'move.step' ? oneLine(event.text) : null;
  }

  /** `acme: 120,000 rows, 81,000 rows/s` */
  copied(now: number): string {
    return `${this.tenant}: ${count(this.rows)} rows${rateText(this.rows, now - (this.copyStartedAt ?? now))}`;
  }

  /** `move of acme, 30.0 s: compares every row of both homes` */
  standing(now: number): string {
    const at = this.copyStartedAt === undefined ? '' : `, ${count(this.rows)} rows`;
    const doing = this.doing === null ? '' : `: ${this.doing}`;
    return `move of ${this.tenant}, ${formatDuration(now - this.startedAt)}${doing}${at}`;
  }
}

/** The line that an event of a move is worth; progress is not told line by line. */
export function moveLine(event: MoveEvent, colors: Colors): string | undefined {
  switch (event.type) {
    case 'move.started':
      return `move ${event.tenant} from ${event.from} to ${event.to}, ${event.method} (${shortId(event.move)})`;
    case 'move.step':
      return `${event.tenant}: ${oneLine(event.text)}`;
    case 'move.finished':
      return finishedLine(event, colors);
    case 'move.progress':
      return undefined;
  }
}

type Finished = Extract<MoveEvent, { type: 'move.finished' }>;

function finishedLine({ tenant, state, writePauseMs }: Finished, colors: Colors): string {
  const pause = writePauseMs === null ? '' : ` (writes waited ${formatDuration(writePauseMs)})`;
  switch (state) {
    case 'grace':
      return `${colors.green('ok')} ${tenant}: moved${pause}`;
    case 'completed':
    case 'undone':
      return `${colors.green('ok')} ${tenant}: ${state}`;
    default:
      return `${tenant}: ${state}`;
  }
}
