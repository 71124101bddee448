import type { Connection } from '../../../pg/connection.js';
import { raw, sql } from '../../../pg/sql.js';
import type { Pool, PoolTable } from './pool-tables.js';
import { refuseEffects, rootsOf, writtenFunction } from './self-check.js';
import { readWritten, sideEffects } from './written.js';
import { insertStaged, together } from './write.js';

/**
 * Writes all that the staging tables hold into the pool, in a transaction of the caller's: referenced tables first,
 * tables that refer to each other in one statement. The staging tables are empty afterwards.
 * @throws difference error `MOVE_SIDE_EFFECT` (exit 8) when something else was written as well; then nothing is kept
 */
export async function settleAll(session: Connection, pool: Pool): Promise<void> {
  await session.execute(writtenFunction(pool));
  const before = await readWritten(session);
  const planned = new Map<number, number>();
  for (const group of pool.groups) await settleGroup(session, pool, group, planned);
  await session.execute(raw('set constraints all immediate'));
  refuseEffects(sideEffects('insert', planned, before, await readWritten(session)));
  await session.execute(raw(`truncate ${pool.tables.map(({ staged }) => staged.text()).join(', ')}`));
}

async function settleGroup(
  session: Connection,
  pool: Pool,
  group: readonly PoolTable[],
  planned: Map<number, number>,
): Promise<void> {
  const statement = together(
    group.map((table) => insertStaged(pool, table)),
    sql`as counts, ${rootsOf(pool.side, group)} as roots`,
  );
  const row = await session.row<{ roots: number[]; counts: string[] }>(statement);
  row?.roots.forEach((root, n) => planned.set(root, Number(row.counts[n])));
}
