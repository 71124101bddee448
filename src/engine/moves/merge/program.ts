import { type Sql, literal, raw, sql } from '../../../pg/sql.js';
import { tableOf } from '../../rows/side.js';
import { keyColumns } from '../stages.js';
import { storedColumns } from '../../rows/tables.js';
import { mergeBody } from './merge-body.js';
import { ROUND, numbers } from './parts.js';
import { type Pool, type PoolTable, keyed } from './pool-tables.js';
import { writtenFunction } from './self-check.js';

/** The function of the session that merges what is staged: the numbers of the touched tables, and a rehearsal's. */
export const MERGE = 'pg_temp.tenantctl_merge';

/**
 * The statements that make the session's temporary tables and functions. The merge is a function of the session so
 * that the server plans its statements once, and a cycle is one question and one answer. What the planner thinks of
 * temporary tables is a guess: it is not to read a whole table of the pool on the strength of it.
 */
export function programOf(pool: Pool): Sql[] {
  return [
    ...keyed(pool.tables).flatMap((table) => temporaryTables(pool, table)),
    writtenFunction(pool),
    sql`create or replace function ${raw(MERGE)}(v_touched int[], v_early int[]) returns jsonb
      language plpgsql set enable_seqscan = off set enable_hashjoin = off as ${raw(literal(mergeBody(pool)))}`,
  ];
}

function temporaryTables(pool: Pool, { table, early, saved }: PoolTable): Sql[] {
  const from = tableOf(pool.side, table.name);
  const temporary = (name: Sql, columns: Sql): Sql[] => {
    const bare = name.text().replace('"pg_temp".', '');
    const index = raw(bare.replace(/"$/, '_key"'));
    return [
      sql`create temp table if not exists ${raw(bare)} as select ${columns} from ${from} with no data`,
      sql`create unique index if not exists ${index} on ${name} (${keyColumns(table)})`,
    ];
  };
  return [
    ...temporary(early, sql`${keyColumns(table)}, 0 as ${ROUND}`),
    ...temporary(saved, storedColumns(table)),
  ];
}

/** Calls the merge: for the tables that hold staged keys, and as if rows of `early` had to go. */
export function callMerge(touched: readonly PoolTable[], early: readonly PoolTable[]): Sql {
  return sql`select ${raw(MERGE)}(${numbersOrNone(touched)}, ${numbersOrNone(early)}) as outcome`;
}

function numbersOrNone(tables: readonly PoolTable[]): Sql {
  return sql`${numbers(tables)}::int[]`;
}
