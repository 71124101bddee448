import type { Connection } from '../../../pg/connection.js';
import { ident, sql } from '../../../pg/sql.js';
import type { StatementLimits } from '../limits.js';
import { limitSettings } from '../limits.js';

/** Is an index there, and may queries rely on it? */
export async function indexState(
  connection: Connection,
  schema: string,
  index: string,
): Promise<'absent' | 'valid' | 'invalid'> {
  const row = await connection.row<{ valid: boolean }>(sql`
    select i.indisvalid and i.indisready as valid
      from pg_index i join pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = ${schema} and c.relname = ${index}`);
  if (row === undefined) return 'absent';
  return row.valid ? 'valid' : 'invalid';
}

/** Drops what a failed or interrupted build has left. Others read and write the table meanwhile. */
export async function dropLeftover(connection: Connection, schema: string, index: string): Promise<void> {
  await connection.execute(sql`drop index concurrently if exists ${ident(schema, index)}`);
}

/**
 * Runs `work`; when it fails on a session that still answers, cleans up before the failure goes on. What cannot be
 * cleaned up within `limits` is found by the next try.
 */
export async function cleaningUp(
  connection: Connection,
  limits: StatementLimits,
  work: () => Promise<void>,
  cleanUp: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (connection.usable) {
      await connection
        .rows(sql`select ${limitSettings(limits, false)}`)
        .then(cleanUp)
        .catch(() => undefined);
    }
    throw error;
  }
}
