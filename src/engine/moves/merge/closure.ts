import { type Sql, sql } from '../../../pg/sql.js';
import { keyColumns } from '../stages.js';
import { storedColumns } from '../../rows/tables.js';
import { ROUND, children, columnsOf, rowWithKey, sameKeys, storedNames } from './parts.js';
import type { Edge, Pool, PoolTable } from './pool-tables.js';

/** Whether the child has to go with its parent. */
export function binds({ lazy, loose }: Edge): boolean {
  return !lazy && loose === null;
}

/** Adds the rows that refer to those of the last round. */
export function addChildren(pool: Pool, edge: Edge): Sql {
  const { child } = edge;
  return sql`insert into ${child.early} (${keyColumns(child.table)}, ${ROUND})
    select ${columnsOf('c', child.table.key)}, v_round + 1 from ${children(pool, edge)}
     where r.${ROUND} = v_round on conflict do nothing`;
}

/**
 * Keeps the rows that go only because of another one. They are not staged, so they are here what they are at the
 * source, and need not be read there.
 */
export function saveEarly(pool: Pool, table: PoolTable): Sql {
  return sql`insert into ${table.saved} (${storedColumns(table.table)})
    select ${columnsOf('x', storedNames(table))} from ${table.early} r
      cross join lateral ${rowWithKey(pool, table, 'r')} x
     where not exists (select from ${table.staged} s where ${sameKeys(table, 's', 'r')}) on conflict do nothing`;
}
