import { groupBy } from '../../core/group-by.js';
import { sql } from '../../pg/sql.js';
import { LEDGER_TABLE_NAMES, type LedgerTableName } from '../formats/ledgers/registry.js';

/**
 * The condition, as SQL, that a row of `pg_class` is a table that another migration tool keeps for itself, or a sequence of one:
 * such tables describe a unit and are none of its data. Names that an application may use as well are told by their columns.
 * @param relation what the row is called in the statement
 */
export function isToolTable(relation: string): string {
  return `(${isTable(relation)} or ${relation}.relkind = 'S' and exists (
    select from pg_catalog.pg_depend owned join pg_catalog.pg_class tool on tool.oid = owned.refobjid
     where owned.classid = 'pg_catalog.pg_class'::regclass and owned.objid = ${relation}.oid and owned.refclassid = 'pg_catalog.pg_class'::regclass
       and owned.deptype in ('a', 'i') and ${isTable('tool')}))`;
}

function isTable(relation: string): string {
  const byName = [...groupBy(LEDGER_TABLE_NAMES, ({ name }) => name)];
  const names = byName.map(([name]) => text(name));
  const cases = byName.map(
    ([name, tables]) =>
      `when ${text(name)} then ${tables.map((table) => hasColumns(relation, table)).join(' or ')}`,
  );
  return `${relation}.relkind in ('r', 'p') and ${relation}.relname in (${names.join(', ')}) and case ${relation}.relname ${cases.join(' ')} end`;
}

function hasColumns(relation: string, { columns }: LedgerTableName): string {
  return `(select count(*) from pg_catalog.pg_attribute marks where marks.attrelid = ${relation}.oid and not marks.attisdropped
    and marks.attname in (${columns.map(text).join(', ')})) = ${columns.length}`;
}

const text = (value: string): string => sql`${value}`.text();
