import type { Blocked, LockMode } from '../../../core/lock-mode.js';

/** What one statement does to one table, told from its text alone. */
export interface Effect {
  /** The table, or the index of a table, as the statement names it; null where it names neither. */
  relation: string | null;
  lock: LockMode;
  /** Is the table, or the index, written anew? `maybe`: that depends on what is there. */
  rewrites: boolean | 'maybe';
  /** Is the whole table read under the lock? */
  scans: boolean;
  why: string;
}

/** An effect with the statement that has it. */
export interface StatementEffect extends Effect {
  /** Its number in the file, from 0. */
  statement: number;
  line: number;
  blocks: Blocked;
}

/** Lock, rewrite, scan, reason: a row of the tables of statements. */
export type Row = readonly [lock: LockMode, rewrites: boolean | 'maybe', scans: boolean, why: string];

export function effect(relation: string | null, [lock, rewrites, scans, why]: Row): Effect {
  return { relation, lock, rewrites, scans, why };
}
