import type { ExportManifest } from '../../core/export-manifest.js';
import { type Sql, ident, join, raw, sql } from '../../pg/sql.js';
import type { Scope } from '../rows/scope.js';
import type { TypedValue } from '../rows/sums.js';
import type { TableColumn, TenantTable } from '../rows/tables.js';

/** Another key takes the place of the one that an export was made with. */
export interface Rekeying {
  from: string;
  to: string;
  /** Those in the file that hold it. */
  columns: string[];
}

/** The columns that name a tenant, as JSON `[table, column]`. */
type KeyColumns = ReadonlySet<string>;

const nameOf = (table: string, column: string): string => JSON.stringify([table, column]);

/**
 * The tenant columns, all that refer to them, and those that they refer to, directly or over other tables: also the key of a
 * shared table that has a row for each tenant.
 */
export function keyColumnsOf({ tables, foreignKeys }: Scope): KeyColumns {
  const found = new Set(
    tables.flatMap(({ name, tenantColumn }) => (tenantColumn === null ? [] : [nameOf(name, tenantColumn)])),
  );
  for (let before = -1; before !== found.size;) {
    before = found.size;
    for (const { child, columns, parent, referenced } of foreignKeys)
      columns.forEach((column, n) => {
        const ends = [nameOf(child, column), nameOf(parent, referenced[n] as string)];
        if (ends.some((end) => found.has(end))) ends.forEach((end) => found.add(end));
      });
  }
  return found;
}

/**
 * Columns that would go on naming the tenant that an export came from. In a pool they would refer to its rows, and let
 * one tenant reach another.
 */
export function rekeyingOf(
  { tenant }: ExportManifest,
  key: string,
  carried: TenantTable,
  keyColumns: KeyColumns,
): Rekeying {
  if (tenant.key === key) return { from: key, to: key, columns: [] };
  const names = carried.columns.map(({ name }) => name);
  const columns = names.filter((name) => keyColumns.has(nameOf(carried.name, name)));
  return { from: tenant.key, to: key, columns };
}

/** The statement that gives the staged rows of a table the new key, or undefined where nothing is to be done. */
export function rekey({ columns, from, to }: Rekeying, carried: TenantTable, staged: Sql): Sql | undefined {
  if (columns.length === 0) return undefined;
  const changes = columns.map((name) => {
    const column = ident(name);
    return sql`${column} = case when ${column}::text = ${from} then ${valueOf(carried, name, to)} else ${column} end`;
  });
  return sql`update ${staged} set ${join(changes)}`;
}

/** The columns of a row as the export has them: with the key that it was made with. */
export function asExported(
  { columns, from, to }: Rekeying,
  carried: TenantTable,
  alias: string,
): TypedValue[] {
  return carried.columns.map((type) => {
    const column = ident(alias, type.name);
    if (!columns.includes(type.name)) return { value: column, type };
    const own = valueOf(carried, type.name, from);
    return { value: sql`(case when ${column}::text = ${to} then ${own} else ${column} end)`, type };
  });
}

function valueOf({ columns }: TenantTable, name: string, key: string): Sql {
  const { type } = columns.find((column) => column.name === name) as TableColumn;
  return sql`${key}::text::${raw(type)}`;
}
