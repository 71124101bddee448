import { literal } from '../../pg/sql.js';
import { LEDGER_TABLE_NAMES } from '../formats/ledgers/registry.js';

/**
 * The condition, as SQL, that a row of `pg_class` is a table that another migration tool keeps for itself, or a sequence of one:
 * such tables describe a unit and are none of its data. Names that an application may use as well are told by their columns.
 * @param relation what the row is called in the statement
 */
export function isToolTable(relation: string): string {
  return `(${isTable(relation)} or ${relation}.relkind = 'S' and ${relation}.relname ~ '^(${NAMES.join('|')})_' and ${numbers(relation)})`;
}

const text = (value: string): string => literal(value);

const NAMES = [...new Set(LEDGER_TABLE_NAMES.map(({ name }) => name))];
const LIST = NAMES.map(text).join(', ');

/** Each with the columns that it has: rows, of which there may be many, where a branch for each takes the server milliseconds to plan. */
const TOOLS = LEDGER_TABLE_NAMES.map(
  ({ name, columns }) => `(${text(name)}, array[${columns.map(text).join(', ')}])`,
).join(', ');

/**
 * By its name, not by dependency: most sequences need not be looked at any further, and to give one to another table leaves no
 * trace in the catalogs by which a later look would see it.
 */
function numbers(sequence: string): string {
  return `exists (select from pg_catalog.pg_class tool where tool.relname in (${LIST})
    and tool.relnamespace = ${sequence}.relnamespace and pg_catalog.starts_with(${sequence}.relname::text, tool.relname || '_') and ${isTable('tool')})`;
}

/** The name is asked first: of nearly every table nothing else is. */
function isTable(relation: string): string {
  return `${relation}.relkind in ('r', 'p') and ${relation}.relname in (${LIST})
    and exists (select from (values ${TOOLS}) known (name, columns) where known.name = ${relation}.relname and known.columns <@
      array(select marks.attname::text from pg_catalog.pg_attribute marks where marks.attrelid = ${relation}.oid and not marks.attisdropped))`;
}
