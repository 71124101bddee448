import type { Connection } from '../../../pg/connection.js';
import { type Sql, sql } from '../../../pg/sql.js';
import type { Pool, PoolTable } from './pool-tables.js';
import { refuseEffects, rootsOf, writtenFunction } from './self-check.js';
import { readWritten, sideEffects } from './written.js';
import { together } from './write.js';

/**
 * Removes rows of every table in one statement, in a transaction of the caller's: foreign keys look when it is through.
 * @param removalOf the DELETE for one table
 * @throws difference error `MOVE_SIDE_EFFECT` (exit 8) when other rows went or changed with them
 */
export async function removeCounted(
  session: Connection,
  pool: Pool,
  removalOf: (table: PoolTable, at: number) => Sql,
): Promise<void> {
  const writings = pool.tables.map((table, at) => ({
    table,
    deed: 'delete' as const,
    text: removalOf(table, at),
  }));
  await session.execute(writtenFunction(pool));
  const before = await readWritten(session);
  const statement = together(writings, sql`as counts, ${rootsOf(pool.side, pool.tables)} as roots`);
  const row = await session.row<{ roots: number[]; counts: string[] }>(statement);
  const planned = new Map(row?.roots.map((root, n) => [root, Number(row.counts[n])]));
  refuseEffects(sideEffects('delete', planned, before, await readWritten(session)));
}
