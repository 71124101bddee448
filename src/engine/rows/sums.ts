import type { Connection } from '../../pg/connection.js';
import { type Sql, ident, join, sql } from '../../pg/sql.js';
import { type Side, tableOf } from './side.js';
import { type TenantTable, ownRows } from './tables.js';

/** How many rows there are, and the sum of their hashes: the same whatever their order is. */
export interface TableSum {
  table: string;
  rows: number;
  hash: string;
}

/**
 * 64 bits of the text of a whole row, generated columns included. A sum, because pairs cancel each other in an
 * exclusive or; of text, because the binary forms of enums differ from database to database, and 1.0 hashes like 1.00.
 */
export function rowHash({ columns }: TenantTable, alias: string): Sql {
  return hashOf(columns.map(({ name }) => ident(alias, name)));
}

/** The same of the values of a row, in the order of its columns. */
export function hashOf(values: readonly Sql[]): Sql {
  return sql`hashtextextended(row(${join(values)})::text, 0)`;
}

/** Rows and hash of every table of a home, as its session sees them. */
export async function sumTables(
  session: Connection,
  side: Side,
  tables: readonly TenantTable[],
): Promise<TableSum[]> {
  const sums: TableSum[] = [];
  for (const table of tables) {
    const row = await session.row<TableSum>(sql`
      select ${table.name}::text as table, count(*)::float8 as rows, coalesce(sum(${rowHash(table, 'x')}::numeric), 0)::text as hash
        from ${tableOf(side, table.name)} x where ${ownRows(side, table, 'x')}`);
    sums.push(row as TableSum);
  }
  return sums;
}
