import { type Sql, ident, sql } from '../../../pg/sql.js';
import { tableOf } from '../../rows/side.js';
import { storedColumns } from '../../rows/tables.js';
import { atPlace, children, columnsOf, sameKeys, storedNames } from './parts.js';
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
    from (select c.ctid as tenantctl_place, c.tableoid as tenantctl_part from ${children(pool, edge)} where ${stays(child)} offset 0) y
   where ${atPlace(pool, child)}`;
}

/** The row does not have to go itself. */
function stays(child: PoolTable): Sql {
  return sql`not exists (select from ${child.early} e where ${sameKeys(child, 'e', 'c')})`;
}
