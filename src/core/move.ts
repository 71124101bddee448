import type { Placement } from './tier.js';

export const MOVE_METHODS = ['atomic', 'online', 'offline'] as const;

/**
 * How rows travel: `atomic` in one transaction within a database, `online` while the tenant writes, `offline` with its
 * writes held.
 */
export type MoveMethod = (typeof MOVE_METHODS)[number];

export const MOVE_STATES = [
  'planned',
  'prepared',
  'copying',
  'syncing',
  'verified',
  'moved',
  'flipped',
  'grace',
  'completed',
  'aborted',
  'undone',
] as const;

export type MoveState = (typeof MOVE_STATES)[number];

/** How a move stands, to go on after "it is". */
export function standingOf(state: string): string {
  return state === 'grace' ? 'in its grace period' : state;
}

/** From here on the tenant lives at its new home, whatever happens. */
const POINT_OF_NO_RETURN: MoveState = 'moved';

/** A home as a move remembers it. */
export interface MoveHome extends Placement {
  epoch: number;
}

/** How far a way back out of the grace period has come; null while nobody asked for one. */
export type UndoState = 'syncing' | 'moved' | 'flipped' | null;

export interface MoveReport {
  move: string;
  tenant: string;
  from: MoveHome;
  to: MoveHome;
  method: MoveMethod;
  state: MoveState;
  undo: UndoState;
  rows: number;
  tables: { table: string; rows: number; hash: string | null }[];
  verified: boolean;
  /** Milliseconds for which writes of the tenant waited, the wait for the fence included. */
  writePauseMs: number | null;
  fenceWaitMs: number | null;
  copyMs: number | null;
  graceUntil: string | null;
  /** Why it stands where it is, when it waits for something or has failed. */
  note: string | null;
  startedAt: string;
  finishedAt: string | null;
}

/** Has the tenant left its old home for good, as far as this move is concerned? */
export function isPastReturn(state: MoveState): boolean {
  return MOVE_STATES.indexOf(state) >= MOVE_STATES.indexOf(POINT_OF_NO_RETURN) && state !== 'aborted';
}
