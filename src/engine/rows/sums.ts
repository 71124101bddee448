import type { Connection } from '../../pg/connection.js';
import { type Sql, ident, join, raw, sql } from '../../pg/sql.js';
import { type Side, tableOf } from './side.js';
import { type TableColumn, type TenantTable, builtInType, ownRows } from './tables.js';

/** How many rows there are, and the sum of their hashes: the same whatever their order is. */
export interface TableSum {
  table: string;
  rows: number;
  hash: string;
}

/** A value of a row, with the type that it has there. */
export interface TypedValue {
  value: Sql;
  type: Pick<TableColumn, 'type' | 'own'>;
}

/**
 * 64 bits of a whole row, generated columns included, for sums of them. The server's hash of a record adds up those of its
 * values: without the second hash, two rows that exchange a value would have the same sum. A sum, and no exclusive or, in
 * which pairs cancel each other.
 */
export function rowHash({ columns }: Pick<TenantTable, 'columns'>, alias: string): Sql {
  return hashOf(columns.map((type) => ({ value: ident(alias, type.name), type })));
}

/** The same of the values of a row, in the order of its columns. */
export function hashOf(values: readonly TypedValue[]): Sql {
  return sql`hashint8extended(hash_record_extended(row(${join(values.map(toHash))}), 0), 0)`;
}

/** Types whose own hash differs wherever their text does, and is the same in every database. */
const BY_VALUE = new Set([
  'boolean',
  'smallint',
  'integer',
  'bigint',
  'oid',
  'uuid',
  'bytea',
  'date',
  'time without time zone',
  'timestamp without time zone',
  'timestamp with time zone',
]);

/** The same, once no collation takes different strings for alike. */
const STRINGS = new Set(['text', 'character varying']);

/** Types of the server's own whose hash is blind where their text is not (1.0 and 1.00, 24:00:00 and 1 day), or is none. */
const BY_TEXT = new Set(['numeric', 'real', 'double precision', 'interval', 'json', 'jsonb']);

/** Reading rows as text takes three times as long as hashing them, so only those values are that need it. */
function toHash({ value, type }: TypedValue): Sql {
  const name = builtInType(type);
  if (BY_VALUE.has(name)) return value;
  if (STRINGS.has(name)) return sql`${value} collate "C"`;
  if (BY_TEXT.has(name)) return sql`${value}::text`;
  // As the type itself writes it: casts to text may lose something, that of character(n) its blanks.
  return sql`row(${value})::text`;
}

/**
 * True of every row, and of one in some two thousand only after a sleep, as autovacuum sleeps between its pages: a long query
 * that never waits has its processor until the kernel's next tick (4 ms), whoever else wants it. About a third of the time is
 * slept. Workers would not be spared, and random() lets the planner have none.
 */
const WITH_RESTS = raw(`case when random() < 0.0005 then pg_sleep(0.001) is not null else true end`);

/**
 * Rows and hash of every table of a home, as its session sees them.
 * @param rests whether others of that server come first; not while somebody waits for the sums
 */
export async function sumTables(
  session: Connection,
  side: Side,
  tables: readonly TenantTable[],
  rests = false,
): Promise<TableSum[]> {
  const sums: TableSum[] = [];
  for (const table of tables) {
    const row = await session.row<TableSum>(sql`
      select ${table.name}::text as table, count(*)::float8 as rows, coalesce(sum(${rowHash(table, 'x')}), 0)::text as hash
        from ${tableOf(side, table.name)} x where ${ownRows(side, table, 'x')}${rests ? sql` and ${WITH_RESTS}` : raw('')}`);
    sums.push(row as TableSum);
  }
  return sums;
}
