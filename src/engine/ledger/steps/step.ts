import type { Connection } from '../../../pg/connection.js';
import type { Migration } from '../migration.js';
import type { ParsedStatement } from '../parser.js';
import type { MigrationAttempt } from '../target.js';

/** One statement of a migration that runs outside a transaction. */
export interface Step {
  connection: Connection;
  target: MigrationAttempt;
  migration: Migration;
  statement: ParsedStatement;
  /** Its number in the file, from 0. */
  index: number;
  /** Was it under way when an earlier try lost its connection? */
  interrupted: boolean;
}
