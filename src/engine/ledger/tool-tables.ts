import { groupBy } from '../../core/group-by.js';
import { literal } from '../../pg/sql.js';
import { LEDGER_TABLE_NAMES, type LedgerTableName } from '../formats/ledgers/registry.js';

/**
 * The condition, as SQL, that a row of `pg_class` is a table that another migration tool keeps for itself, or a sequence of one:
 * such tables describe a unit and are none of its data. Names that an application may use as well are told by their columns.
 * @param relation what the row is called in the statement
 */
export function isToolTable(relation: string): string {
  return `(${isTable(relation)} or ${relation}.relkind = 'S' and ${relation}.relname ~ '^(${NAMES.join('|')})_' and ${numbers(relation)})`;
}

const text = (value: string): string => literal(value);

const BY_NAME = [...groupBy(LEDGER_TABLE_NAMES, ({ name }) => name)];
const NAMES = BY_NAME.map(([name]) => name);

/**
 * By its name, not by dependency: most sequences need not be looked at any further, and to give one to another table leaves no
 * trace in the catalogs by which a later look would see it.
 */
function numbers(sequence: string): string {
  return `exists (select from pg_catalog.pg_class tool where tool.relname in (${NAMES.map(text).join(', ')})
    and tool.relnamespace = ${sequence}.relnamespace and pg_catalog.starts_with(${sequence}.relname::text, tool.relname || '_') and ${isTable('tool')})`;
}

function isTable(relation: string): string {
  const cases = BY_NAME.map(
    ([name, tables]) =>
      `when ${text(name)} then ${tables.map((table) => hasColumns(relation, table)).join(' or ')}`,
  );
  return `${relation}.relkind in ('r', 'p') and ${relation}.relname in (${NAMES.map(text).join(', ')}) and case ${relation}.relname ${cases.join(' ')} end`;
}

function hasColumns(relation: string, { columns }: LedgerTableName): string {
  return `(select count(*) from pg_catalog.pg_attribute marks where marks.attrelid = ${relation}.oid and not marks.attisdropped
    and marks.attname in (${columns.map(text).join(', ')})) = ${columns.length}`;
}
