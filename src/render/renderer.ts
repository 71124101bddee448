import type { Writable } from 'node:stream';
import type { StampedEvent } from '../core/events.js';

/** A stream that may be a terminal. */
export type Output = Writable & { isTTY?: boolean; columns?: number; rows?: number };

/** A subscriber of events. It only watches: it never schedules work and never hears signals. */
export interface Renderer {
  on(event: StampedEvent): void;
  /** Called once, before results are printed. */
  close(): Promise<void>;
}
