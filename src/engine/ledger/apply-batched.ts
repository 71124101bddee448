import type { Connection } from '../../pg/connection.js';
import { raw } from '../../pg/sql.js';
import type { Migration } from './migration.js';
import { outsideTransaction } from './outside-transaction.js';
import type { MigrationTarget } from './target.js';

/**
 * Repeats a batched migration, one commit each time, until it touches no row. Every batch stands for
 * itself, so a crash costs the batch that was under way.
 */
export async function applyBatched(
  connection: Connection,
  target: MigrationTarget,
  migration: Migration,
  after: number | null,
): Promise<void> {
  const statement = raw(migration.sql);
  await outsideTransaction(connection, target, migration, after, async () => {
    while ((await connection.execute(statement)) > 0);
  });
}
