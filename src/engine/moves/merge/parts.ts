import { type Sql, ident, join, raw, sql } from '../../../pg/sql.js';
import { tableOf } from '../../rows/side.js';
import { PRESENT } from '../stages.js';
import { ownByKey, ownRows, storedColumns } from '../../rows/tables.js';
import type { Edge, Pool, PoolTable } from './pool-tables.js';

/** In which round of the closure a key came among the early ones. */
export const ROUND = ident('tenantctl_round');

/** `x.a, x.b` */
export function columnsOf(alias: string, names: readonly string[]): Sql {
  return join(names.map((name) => ident(alias, name)));
}

/** The stored columns of a row, as one value that differs as soon as one bit of it does. */
export function image(alias: string, names: readonly string[]): Sql {
  return sql`row(${columnsOf(alias, names)})::record`;
}

export function storedNames({ table }: PoolTable): string[] {
  return table.columns.filter(({ generated }) => !generated).map(({ name }) => name);
}

/** Rows of the table that have the key of `other`. */
function withKeyOf(pool: Pool, table: PoolTable, alias: string, other: string): Sql {
  return sql`${sameKeys(table, alias, other)} and ${ownByKey(pool.side, table.table, alias)}`;
}

export function sameKeys({ table }: PoolTable, one: string, other: string): Sql {
  return join(
    table.key.map((name) => sql`${ident(one, name)} = ${ident(other, name)}`),
    ' and ',
  );
}

/**
 * What the rows shall be that were staged or saved. OFFSET 0 here and elsewhere keeps the planner from turning a join
 * around: it begins with these few rows, never with those of the table.
 */
export function wantedRows({ table, staged, saved }: PoolTable): Sql {
  const columns = storedColumns(table);
  return sql`(select ${columns} from ${staged} where ${PRESENT} union all select ${columns} from ${saved} offset 0)`;
}

/** `early r, … c`: the rows that refer to those that have to go, with their keys and stored columns. */
export function children(pool: Pool, { child, parent, childColumns, parentColumns }: Edge): Sql {
  const { key } = parent.table;
  const { tenantColumn } = child.table;
  const byKey = parentColumns.length === key.length && parentColumns.every((name) => key.includes(name));
  const through = byKey ? raw('') : sql`cross join lateral ${rowWithKey(pool, parent, 'r')} p`;
  const refer = join(
    childColumns.map(
      (name, n) => sql`${ident('x', name)} = ${ident(byKey ? 'r' : 'p', parentColumns[n] as string)}`,
    ),
    ' and ',
  );
  // Where the reference itself names the tenant, an index over its columns is enough.
  const own =
    tenantColumn !== null && childColumns.includes(tenantColumn)
      ? ownByKey(pool.side, child.table, 'x')
      : ownRows(pool.side, child.table, 'x');
  return sql`${parent.early} r ${through}
    cross join lateral (select ctid, tableoid, * from ${tableOf(pool.side, child.table.name)} x where ${refer} and ${own} offset 0) c`;
}

/** Where the row `x` stands, for `atPlace`. */
export const PLACE = raw('x.ctid as tenantctl_place, x.tableoid as tenantctl_part');

/**
 * The row `x` that is to be written is the one that was found, `y`. By its place and not by its key: of a key the
 * planner might go through a whole index.
 */
export function atPlace({ side }: Pool, table: PoolTable): Sql {
  return sql`x.ctid = y.tenantctl_place and x.tableoid = y.tenantctl_part and ${ownByKey(side, table.table, 'x')}`;
}

/** The tenant's row with the key of `other` and where it stands, for a lateral join. */
export function rowWithKey(pool: Pool, table: PoolTable, other: string): Sql {
  return sql`(select ctid, tableoid, * from ${tableOf(pool.side, table.table.name)} x where ${withKeyOf(pool, table, 'x', other)} offset 0)`;
}

/** `array[1, 4]` */
export function numbers(tables: readonly PoolTable[]): Sql {
  return raw(`array[${tables.map(({ index }) => index).join(', ')}]`);
}
