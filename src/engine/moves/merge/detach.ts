import { type Sql, ident, sql } from '../../../pg/sql.js';
import { tableOf } from '../side.js';
import { storedColumns } from '../tables.js';
import { children, columnsOf, sameKeys, storedNames, withKeyOf } from './parts.js';
import type { Edge, Pool, PoolTable } from './pool-tables.js';

/** Keeps the rows that will let go of a parent, unless they are staged. */
export function saveLoose(pool: Pool, edge: Edge): Sql {
  const { child } = edge;
  return sql`insert into ${child.saved} (${storedColumns(child.table)})
    select ${columnsOf('c', storedNames(child))} from ${children(pool, edge)}
     where ${stays(child)} and not exists (select from ${child.staged} s where ${sameKeys(child, 's', 'c')})
    on conflict do nothing`;
}

/** Lets rows go of a parent that has to go; writing the wanted rows makes them refer to it again. */
export function letGo(pool: Pool, edge: Edge): Sql {
  const { child, loose } = edge;
  return sql`update ${tableOf(pool.side, child.table.name)} x set ${ident(loose as string)} = null
    from (select ${columnsOf('c', child.table.key)} from ${children(pool, edge)} where ${stays(child)} offset 0) y
   where ${withKeyOf(pool, child, 'x', 'y')}`;
}

/** The row does not have to go itself. */
function stays(child: PoolTable): Sql {
  return sql`not exists (select from ${child.early} e where ${sameKeys(child, 'e', 'c')})`;
}
