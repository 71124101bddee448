import { sqlstateOf } from '../../pg/errors.js';
import { type Sql, ident, join, sql } from '../../pg/sql.js';
import type { ForeignKey } from './foreign-keys.js';
import { circleOf } from './reference-order.js';

/** Could rows not go because others refer to them, or would be changed against a rule? */
export function violatesIntegrity(error: unknown): boolean {
  return sqlstateOf(error)?.startsWith('23') === true;
}

/**
 * Rows that refer to each other can go in no order of batches: one statement that deletes them from all tables of a
 * circle, at the end of which none is left to refer to another, or to be changed because another one has gone.
 * @param deletionFrom the statement that deletes all of the tenant's rows from one table
 */
export function wholeCircle<Table extends { name: string }>(
  table: Table,
  tables: readonly Table[],
  foreignKeys: readonly ForeignKey[],
  deletionFrom: (table: Table) => Sql,
): Sql {
  const circle = circleOf(table.name, foreignKeys);
  const others = tables.filter(({ name }) => circle.has(name) && name !== table.name);
  if (others.length === 0) return deletionFrom(table);
  const parts = others.map((other, n) => sql`${ident(`other_${n}`)} as (${deletionFrom(other)})`);
  return sql`with ${join(parts)} ${deletionFrom(table)}`;
}
