import { majorVersion } from '../../core/major-version.js';
import type { Connection } from '../../pg/connection.js';
import { BINARY, type CopyFormat, TEXT } from '../../pg/copy-format.js';
import { type TableColumn, type TenantTable, builtInType } from './tables.js';

/** The server's own types whose binary form is the value and nothing else: no object's number, which differs elsewhere. */
const PLAIN = new Set([
  'boolean',
  'smallint',
  'integer',
  'bigint',
  'numeric',
  'real',
  'double precision',
  'text',
  'character varying',
  'character',
  'uuid',
  'bytea',
  'json',
  'jsonb',
  'date',
  'time without time zone',
  'time with time zone',
  'timestamp without time zone',
  'timestamp with time zone',
  'interval',
  'inet',
  'cidr',
]);

type Columns = Pick<TenantTable, 'columns'>;

/**
 * In which format a table's rows are copied. Text is what every type and every version understands; writing and reading
 * values as text is a third of what a copy costs, so tables of plain types are copied without it, between servers of one
 * major version.
 */
export function formatOf(source: Columns, target: Columns, from: Connection, to: Connection): CopyFormat {
  const [columns, others] = [stored(source), stored(target)];
  const alike = columns.length === others.length && columns.every(({ type }, n) => type === others[n]?.type);
  return majorVersion(from.version) === majorVersion(to.version) && alike && columns.every(isPlain)
    ? BINARY
    : TEXT;
}

function stored({ columns }: Columns): TableColumn[] {
  return columns.filter(({ generated }) => !generated);
}

function isPlain(column: TableColumn): boolean {
  return PLAIN.has(builtInType(column).replace(/(\[\])+$/, ''));
}
