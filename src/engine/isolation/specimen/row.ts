import { type Sql, ident, join, literal, raw } from '../../../pg/sql.js';
import type { Relation } from './relation.js';

/** A row as text, column by column: every type reads what it has written. */
export type Row = ReadonlyMap<string, string | null>;

/** A value of a column, with its type. */
export function valueOf(table: Relation, column: string, row: Row): Sql {
  const type = table.columns.find(({ name }) => name === column)?.type ?? 'text';
  return raw(`${literal(row.get(column) ?? null)}::${type}`);
}

/** The statement that puts a row with these values into a table, generated numbers included. */
export function insertion(table: Relation, row: Row): Sql {
  const columns = table.columns.filter(({ name, generated }) => row.has(name) && !generated);
  if (columns.length === 0) return raw(`insert into ${table.qualified} default values`);
  const names = join(columns.map(({ name }) => ident(name)));
  const values = join(columns.map(({ name }) => valueOf(table, name, row)));
  return raw(
    `insert into ${table.qualified} (${names.text()}) overriding system value values (${values.text()})`,
  );
}

/** `array[a::text, …]` of all columns, as `rowOf` reads it. */
export function asText({ columns }: Relation): string {
  return `array[${columns.map(({ name }) => `(${ident(name).text()})::text`).join(', ')}]`;
}

export function rowOf({ columns }: Relation, values: readonly (string | null)[]): Row {
  return new Map(columns.map(({ name }, n) => [name, values[n] ?? null]));
}

/** The columns that find a row again: its key, the tenant column with it; empty when nothing does. */
export function keyOf(table: Relation, tenantColumn: string): string[] {
  const required = new Set(table.columns.filter(({ notNull }) => notNull).map(({ name }) => name));
  const key = table.uniques.find(
    ({ special, columns }) => !special && columns.length > 0 && columns.every((name) => required.has(name)),
  );
  return [...new Set([...(key?.columns ?? []), ...(table.tenanted ? [tenantColumn] : [])])];
}

/** `a = '…'::int and …`: the condition for one row. */
export function sameRow(table: Relation, row: Row, columns: readonly string[], alias?: string): string {
  const parts = columns.map(
    (name) =>
      `${(alias === undefined ? ident(name) : ident(alias, name)).text()} = ${valueOf(table, name, row).text()}`,
  );
  return parts.join(' and ');
}
