import { refusedError } from '../../../core/errors.js';
import type { Connection } from '../../../pg/connection.js';
import { type Sql, script, sql } from '../../../pg/sql.js';
import { type Pool, type PoolTable, keyed } from './pool-tables.js';
import { CLOSURE_LIMIT } from './merge-body.js';
import { MERGE, callMerge, programOf } from './program.js';
import { type Effect, refuseEffects, refuseUnequal } from './self-check.js';

/** What the merge answers. */
interface Outcome {
  refused?: 'track_counts' | 'closure';
  /** Rows that had to be written again because a row that they refer to had to go. */
  rewritten: number;
  unequal: { table: string; rows: number }[];
  effects: Effect[];
}

/**
 * Makes the rows of the staged keys what is staged, in the transaction of the caller's.
 * @param touched the tables that hold staged keys
 * @throws difference error `MOVE_SIDE_EFFECT` (exit 8) when something else was written, or rows are not as written
 * @throws refusal `MOVE_CLOSURE_TOO_LARGE` or `MOVE_NOT_COUNTED` (exit 6)
 */
export async function applyStaged(
  session: Connection,
  pool: Pool,
  touched: readonly PoolTable[],
): Promise<void> {
  const row = await session.row<{ outcome: Outcome }>(await mergeOf(session, pool, touched));
  const { refused, rewritten, unequal, effects } = (row as { outcome: Outcome }).outcome;
  if (refused === 'track_counts') throw notCounted(session);
  if (refused === 'closure') throw closureTooLarge(rewritten, touched);
  refuseEffects(effects);
  refuseUnequal(unequal);
}

/**
 * The statement that merges. A session is given what it needs for that once; a transaction that is rolled back takes
 * it away again, so the server is asked. The first merge goes through every statement, so that all are planned before
 * anybody waits for one.
 */
async function mergeOf(session: Connection, pool: Pool, touched: readonly PoolTable[]): Promise<Sql> {
  const there = await session.row(sql`select where to_regprocedure(${`${MERGE}(int[],int[])`}) is not null`);
  if (there !== undefined) return callMerge(touched, []);
  await session.message(script(programOf(pool)));
  const all = keyed(pool.tables);
  return callMerge(all, all);
}

function notCounted({ server, database }: Connection) {
  return refusedError(
    'MOVE_NOT_COUNTED',
    `Server ${server} does not count rows written, so side effects of a move could not be seen.`,
    {
      hint: 'As a superuser: `alter system set track_counts = on; select pg_reload_conf();`, then `tenantctl moves resume`.',
      facts: { server, database },
    },
  );
}

function closureTooLarge(rows: number, touched: readonly PoolTable[]) {
  const tables = touched.map(({ table }) => table.name);
  return refusedError(
    'MOVE_CLOSURE_TOO_LARGE',
    `${rows} rows that did not change would have to be written again, because rows of ${tables.join(', ')} that they refer to exchanged unique values; ${CLOSURE_LIMIT} are the most.`,
    {
      hint: 'Nothing of this cycle was kept. Move the tenant with --method offline, or make the foreign keys to these tables nullable or DEFERRABLE.',
      facts: { rows, limit: CLOSURE_LIMIT, tables },
    },
  );
}
