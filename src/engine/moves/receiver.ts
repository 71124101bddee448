import type { Connection } from '../../pg/connection.js';
import type { Sql } from '../../pg/sql.js';
import type { Stage } from './stages.js';

/** Tables whose rows can come when those of the steps before it are there. */
export interface CopyStep {
  stages: Stage[];
  /** Rows refer to rows of the same step, so they come all at once. */
  whole: boolean;
}

/**
 * How a home takes in the rows that come from the other one. A home of the tenant's own is nobody's while it is
 * filled, so its constraints and triggers are set aside; a pool is in use, so nothing in it stands still for a move.
 * Every verb can be called again after a crash and ends the same.
 */
export interface Receiver {
  /** In which order rows of the first copy can come; null where any will do, several tables at once. */
  readonly order: ((session: Connection) => Promise<CopyStep[]>) | null;
  /** Once before the first row: sets aside, or silences for the mover alone, what would answer to its writes. */
  makeReady(session: Connection): Promise<void>;
  /**
   * Removes every row of the tenant from these tables, from all by default.
   * @throws conflict `HOME_OPEN` (exit 5) where the tenant lives
   */
  empty(session: Connection, stages?: readonly Stage[]): Promise<void>;
  /**
   * Lets the server plan what the first cycle will ask of this session, which takes it a tenth of a second for a pool: done
   * while the copy writes in another session, it is nobody's time. Nothing is staged yet and no transaction is open.
   */
  rehearse(session: Connection): Promise<void>;
  /** Where the rows of the first copy go: `table (columns)` of this home, or the staging table. */
  copyInto(stage: Stage): Sql;
  /** In a transaction of the caller's: writes what is staged of the tables of one step. The staging tables stay as they are. */
  take(session: Connection, step: readonly Stage[]): Promise<void>;
  /** In a transaction of the caller's: writes all that is staged, after which the staging tables are empty. */
  settle(session: Connection): Promise<void>;
  /** Lets the server know how much there is now, so that the application's first queries are planned well. */
  gatherStatistics(session: Connection): Promise<void>;
  /**
   * In a transaction of the caller's: makes the rows of the staged keys what the staging tables say, and nothing else.
   * @param touched the stages that hold keys
   */
  apply(session: Connection, touched: readonly Stage[]): Promise<void>;
  /** In the last transaction before the tenant is let in: puts back what was set aside. */
  putBack(session: Connection): Promise<void>;
  /**
   * After the cut-over, when nobody waits: what takes time, such as proving constraints that were put back.
   * @returns those that do not hold for the rows that came, as they did not in the other home
   */
  conclude(session: Connection): Promise<string[]>;
}
