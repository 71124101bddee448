import type { Connection } from '../../pg/connection.js';
import { ident, sql } from '../../pg/sql.js';
import type { Migration } from './migration.js';
import { executeStatement, outsideTransaction } from './outside-transaction.js';
import type { ParsedStatement } from './parser.js';
import type { MigrationTarget } from './target.js';

/**
 * Runs the statements of a `no-transaction` file one after the other. An index that an earlier attempt
 * left invalid is dropped and built again; one that it finished is kept. `IF NOT EXISTS` is not trusted
 * for that: it takes an invalid index for the real one.
 */
export async function applyStepwise(
  connection: Connection,
  target: MigrationTarget,
  migration: Migration,
  after: number | null,
): Promise<void> {
  await outsideTransaction(connection, target, migration, after, async () => {
    for (const statement of migration.statements)
      await runStatement(connection, target, migration, statement);
  });
}

async function runStatement(
  connection: Connection,
  target: MigrationTarget,
  migration: Migration,
  statement: ParsedStatement,
): Promise<void> {
  if (statement.concurrentIndex) {
    const state = await indexState(connection, target.unit.schema, statement.concurrentIndex);
    if (state === 'valid') return;
    if (state === 'invalid') {
      await connection.execute(
        sql`drop index concurrently ${ident(target.unit.schema, statement.concurrentIndex)}`,
      );
    }
  }
  await executeStatement(connection, target, migration, statement);
}

async function indexState(connection: Connection, schema: string, index: string) {
  const row = await connection.row<{ valid: boolean }>(sql`
    select i.indisvalid and i.indisready as valid
      from pg_index i join pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = ${schema} and c.relname = ${index}`);
  if (row === undefined) return 'absent';
  return row.valid ? 'valid' : 'invalid';
}
