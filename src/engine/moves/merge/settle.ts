import type { Connection } from '../../../pg/connection.js';
import { raw, sql } from '../../../pg/sql.js';
import type { Pool, PoolTable } from './pool-tables.js';
import { WRITTEN, refuseEffects, rootsOf, writtenFunction } from './self-check.js';
import { readWritten, sideEffects } from './written.js';
import { insertStaged, together } from './write.js';
import type { Stage } from '../stages.js';

/**
 * Writes what the staging tables hold into the pool, in a transaction of the caller's: referenced tables first, tables
 * that refer to each other in one statement.
 * @param stages whole groups of tables; what others refer to is there or among them
 * @throws difference error `MOVE_SIDE_EFFECT` (exit 8) when something else was written as well; then nothing is kept
 */
export async function writeStaged(session: Connection, pool: Pool, stages: readonly Stage[]): Promise<void> {
  const names = new Set(stages.map(({ target }) => target.name));
  const groups = pool.groups.filter((group) => group.some(({ table }) => names.has(table.name)));
  if (!(await isThere(session))) await session.execute(writtenFunction(pool));
  const before = await readWritten(session);
  const planned = new Map<number, number>();
  for (const group of groups) await writeGroup(session, pool, group, planned);
  await session.execute(raw('set constraints all immediate'));
  refuseEffects(sideEffects('insert', planned, before, await readWritten(session)));
}

/** Made once a session: it is a row of the catalog. */
async function isThere(session: Connection): Promise<boolean> {
  const row = await session.row(sql`select where to_regprocedure(${WRITTEN.text()}) is not null`);
  return row !== undefined;
}

async function writeGroup(
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
