import type { MoveMethod } from '../../../core/move.js';
import type { MigrationUnit } from '../../../core/unit.js';
import type { Connection } from '../../../pg/connection.js';
import type { Fleet } from '../../context.js';
import type { Migration } from '../../ledger/migration.js';
import type { Side } from '../../rows/side.js';
import type { TenantTable } from '../../rows/tables.js';

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
  /** What migrates together with it. */
  unit: MigrationUnit;
  /** The tables that would be moved. */
  tables: readonly TenantTable[];
}

/** Where the tenant is to go, whether anything is there yet or not. */
export interface Destination {
  side: Side;
  unit: MigrationUnit;
  /** A session with its server, in whatever database. */
  server: Connection;
  /** A session with its database; null while that is still to be made. */
  database: Connection | null;
}

export interface PreflightContext {
  fleet: Fleet;
  /** All files, in order. */
  migrations: readonly Migration[];
  source: Inspected;
  goal: Destination;
  /** Null where the new home is still to be made. */
  target: Inspected | null;
  method: MoveMethod;
}

/** One rule: looks, changes nothing. */
export type PreflightRule = (context: PreflightContext) => Promise<MoveFinding[]>;
