import type { StampedEvent } from '../core/events.js';
import { faultText } from './plain.js';
import { countUnit, type Progress, progressText, startProgress } from './progress.js';
import { type Waiting, waitingText } from './waiting.js';

/** How many failures a wave shows while it runs; the report has them all. */
export const SHOWN_FAILURES = 5;

const FRAME_MS = 100;
const CLOCK_MS = 1_000;

/** What a wave writes to: its title, and the lines below it. */
export interface Line {
  title: string | undefined;
  output: string | undefined;
}

/** The state of one wave, and its line on the screen once there is one. */
export class WaveLine {
  readonly ended: Promise<void>;
  private readonly progress: Progress;
  private readonly untold: string[] = [];
  private waiting: Waiting | undefined;
  private line: Line | undefined;
  private frame: NodeJS.Timeout | undefined;
  private clock: NodeJS.Timeout | undefined;
  private end: () => void = () => undefined;

  constructor(
    readonly name: string,
    units: number | null,
  ) {
    this.progress = startProgress(units, Date.now());
    this.ended = new Promise((resolve) => (this.end = resolve));
  }

  get title(): string {
    const now = Date.now();
    const waits = this.waiting === undefined ? '' : `; ${waitingText(this.waiting, now)}`;
    return `${this.name}: ${progressText(this.progress, now)}${waits}`;
  }

  /** Failed units, or units that an interruption has left unvisited. */
  get incomplete(): boolean {
    const { failed, outcomes, total } = this.progress;
    return failed > 0 || outcomes.size < (total ?? 0);
  }

  /** Takes the number of units where it was not known yet. */
  expects(units: number): boolean {
    if (this.progress.total !== null) return false;
    this.progress.total = units;
    return true;
  }

  show(line: Line): void {
    this.line = line;
    this.clock = setInterval(() => this.requestFrame(), CLOCK_MS);
    this.clock.unref();
    this.requestFrame();
  }

  count(event: Extract<StampedEvent, { type: 'unit.finished' }>): void {
    countUnit(this.progress, event);
    if (event.outcome === 'failed' && this.progress.failed <= SHOWN_FAILURES) {
      this.untold.push(`${event.unit}: ${faultText(event)}`);
    }
    this.requestFrame();
  }

  tell(text: string): void {
    this.untold.push(text);
    this.requestFrame();
  }

  /** Says what the wave waits for, until it is told that the wave goes on. */
  wait(waiting: Waiting | undefined): void {
    this.waiting = waiting;
    this.requestFrame();
  }

  finish(): void {
    this.end();
  }

  /** However many units finish, the screen is drawn ten times a second: drawing takes time from the work. */
  private requestFrame(): void {
    this.frame ??= setTimeout(() => {
      this.frame = undefined;
      this.draw();
    }, FRAME_MS);
  }

  /** Draws for the last time. A wave may have ended before it had a line, so its end is not the moment. */
  leave(): void {
    clearTimeout(this.frame);
    clearInterval(this.clock);
    this.draw();
  }

  private draw(): void {
    if (this.line === undefined) return;
    this.line.title = this.title;
    if (this.untold.length > 0) this.line.output = this.untold.splice(0).join('\n');
  }
}
