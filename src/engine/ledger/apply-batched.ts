import type { Connection } from '../../pg/connection.js';
import type { Migration } from './migration.js';
import { executeStatement, outsideTransaction } from './outside-transaction.js';
import type { ParsedStatement } from './parser.js';
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
  await outsideTransaction(connection, target, migration, after, async () => {
    const statement = migration.statements[0] as ParsedStatement;
    while ((await executeStatement(connection, target, migration, statement)) > 0);
  });
}
