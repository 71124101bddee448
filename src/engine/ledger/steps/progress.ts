import type { Connection } from '../../../pg/connection.js';
import { type Sql, sql } from '../../../pg/sql.js';
import type { Migration } from '../migration.js';
import type { MigrationTarget } from '../target.js';

/** How far a migration is that takes more than one transaction. */
export interface Progress {
  /** Statements, or batches, that are done. */
  done: number;
  /** Was the next one sent by a try that never learned how it ended? */
  begun: boolean;
}

/** What earlier tries have recorded of a migration that the ledger has as started. */
export async function readProgress(
  connection: Connection,
  target: MigrationTarget,
  migration: Migration,
): Promise<Progress> {
  const row = await connection.row<Progress>(sql`
    select steps_done as done, step_begun as begun from tenantctl.ledger where ${entryOf(target, migration)}`);
  return row ?? { done: 0, begun: false };
}

/** Records that a step ended, or (with `begun`) that the next one is about to be sent. */
export function progressUpdate(target: MigrationTarget, migration: Migration, progress: Progress): Sql {
  return sql`update tenantctl.ledger set steps_done = ${progress.done}::integer, step_begun = ${progress.begun}::boolean
    where ${entryOf(target, migration)}`;
}

function entryOf({ unit }: MigrationTarget, { id }: Migration): Sql {
  return sql`unit = ${unit.ledgerKey} and id = ${id}::integer and rolled_back_at is null`;
}
