import type { Connection } from '../../pg/connection.js';
import type { Fleet } from '../context.js';
import type { Side } from '../rows/side.js';
import type { Receiver } from './receiver.js';
import type { Stage } from './stages.js';

/** The first copy of all tables, from one moment of the source. */
export interface CopyJob {
  fleet: Fleet;
  move: string;
  from: Side;
  to: Side;
  receiver: Receiver;
  stages: readonly Stage[];
  /** The target's session, with the staging tables. */
  session: Connection;
  /** Sessions that copy side by side; each needs one on either server. */
  lanes: number;
  /** Tables that an earlier process has copied whole; their later changes are marked. */
  done: ReadonlySet<string>;
  /** Waits while the user's throttle says so; throws when the work is to end. */
  breathe: () => Promise<void>;
  /** Does one piece of the copy, and rests after it for as long as neighbours need. */
  paced: (piece: () => Promise<void>) => Promise<void>;
  onRows: (table: string, rows: number) => void;
  onTable: (table: string, rows: number) => Promise<void>;
}

/** How often a copy asks whether it is to wait. */
const LOOK_EVERY_MS = 1_000;

/** Asks whether the copy is to wait, every second at most; who begins has just asked. */
export function nowAndThen({ breathe }: CopyJob): () => Promise<void> {
  let asked = performance.now();
  return async () => {
    if (performance.now() - asked < LOOK_EVERY_MS) return;
    await breathe();
    asked = performance.now();
  };
}
