import type { ExportManifest } from '../../core/export-manifest.js';
import { type Sql, ident, join, raw, sql } from '../../pg/sql.js';
import type { ForeignKey } from '../rows/foreign-keys.js';
import type { TableColumn, TenantTable } from '../rows/tables.js';

/** Another key takes the place of the one that an export was made with. */
export interface Rekeying {
  from: string;
  to: string;
  /** Columns beside the tenant column that hold it as well: they refer to the tenant column of another table. */
  columns: string[];
}

/**
 * Columns that would go on naming the tenant that an export came from. In a pool they would refer to its rows, and let
 * one tenant reach another.
 */
export function rekeyingOf(
  { tenant }: ExportManifest,
  key: string,
  carried: TenantTable,
  tenantColumns: ReadonlyMap<string, string | null>,
  foreignKeys: readonly ForeignKey[],
): Rekeying {
  if (tenant.key === key) return { from: key, to: key, columns: [] };
  const naming = new Set(
    foreignKeys
      .filter(({ child }) => child === carried.name)
      .flatMap(({ columns, referenced, parent }) =>
        columns.filter((_, n) => referenced[n] === tenantColumns.get(parent)),
      ),
  );
  const columns = carried.columns.map(({ name }) => name);
  const others = columns.filter((name) => naming.has(name) && name !== carried.tenantColumn);
  return { from: tenant.key, to: key, columns: others };
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
export function asExported({ columns, from, to }: Rekeying, carried: TenantTable, alias: string): Sql[] {
  return carried.columns.map(({ name }) => {
    const column = ident(alias, name);
    if (!columns.includes(name)) return column;
    return sql`case when ${column}::text = ${to} then ${valueOf(carried, name, from)} else ${column} end`;
  });
}

function valueOf({ columns }: TenantTable, name: string, key: string): Sql {
  const { type } = columns.find((column) => column.name === name) as TableColumn;
  return sql`${key}::text::${raw(type)}`;
}
