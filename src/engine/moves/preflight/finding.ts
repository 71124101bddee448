import type { Connection } from '../../../pg/connection.js';
import type { Side } from '../side.js';
import type { MovedTable } from '../tables.js';

/** Something that stands in the way of a move, or that whoever orders it should know. */
export interface MoveFinding {
  rule: string;
  /** An error keeps the move from beginning. */
  level: 'error' | 'warning';
  /** The table, constraint or role it is about. */
  where: string;
  message: string;
  /** The statement or command that mends it. */
  hint: string;
}

/** One home as preflight sees it. */
export interface Inspected {
  session: Connection;
  side: Side;
  /** The tables that would be moved. */
  tables: readonly MovedTable[];
}

export interface PreflightContext {
  source: Inspected;
  /** Null where the new home is still to be made. */
  target: Inspected | null;
  /** `auto` when it is still to be chosen. */
  method: 'auto' | 'atomic' | 'online' | 'offline';
  tenantColumn: string;
  appRole: string;
}

/** One rule: looks, changes nothing. */
export type PreflightRule = (context: PreflightContext) => Promise<MoveFinding[]>;
