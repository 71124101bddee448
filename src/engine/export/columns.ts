import type { Connection } from '../../pg/connection.js';
import { type Sql, ident, join, raw, sql } from '../../pg/sql.js';
import type { Side } from '../rows/side.js';
import type { TableColumn } from '../rows/tables.js';

/** A column with what is needed to write its values. */
export interface ExportColumn extends TableColumn {
  /** The function that writes a value of its type as text, with its schema. */
  output: string;
}

/** The columns of each table of a home, in the order in which the table has them. */
export async function readColumns(session: Connection, side: Side): Promise<Map<string, ExportColumn[]>> {
  const rows = await session.rows<{ table: string; columns: ExportColumn[] }>(sql`
    select c.relname::text as table, (select coalesce(json_agg(json_build_object('name', a.attname,
        'type', format_type(a.atttypid, a.atttypmod), 'generated', a.attgenerated <> '', 'notNull', a.attnotnull,
        'own', a.atttypid >= 16384, 'output', format('%I.%I', m.nspname, p.proname)) order by a.attnum), '[]')
         from pg_attribute a join pg_type t on t.oid = a.atttypid join pg_proc p on p.oid = t.typoutput
         join pg_namespace m on m.oid = p.pronamespace
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = ${side.home.placement.schema} and c.relkind in ('r', 'p') and not c.relispartition`);
  return new Map(rows.map(({ table, columns }) => [table, columns]));
}

/** Types that JSON has itself, by the function that writes them: a domain has that of the type below it. */
const NATIVE = new Set(
  'boolout int2out int4out int8out numeric_out float4out float8out textout varcharout bpcharout nameout'
    .split(' ')
    .map((name) => `pg_catalog.${name}`),
);

/**
 * A row as a JSON object. JSON has one null, and a document can be null as well: a column of documents is left out of the
 * object where it has no value.
 * @param alias of the table
 */
export function jsonObject(columns: readonly ExportColumn[], alias: string): Sql {
  const documents = columns.filter(({ output }) => output === 'pg_catalog.jsonb_out');
  const plain = columns.filter((column) => !documents.includes(column));
  const values = join(plain.map((column) => jsonValue(column, alias)));
  const object = sql`(select row_to_json(j.*)::text from (select ${values}) j)`;
  if (documents.length === 0) return object;
  const members = join(
    documents.map(({ name }) => {
      const label = `,${JSON.stringify(name)}:`;
      return sql`coalesce(${label} || ${ident(alias, name)}::text, '')`;
    }),
    ' || ',
  );
  return plain.length === 0
    ? sql`'{' || substr(${members}, 2) || '}'`
    : sql`left(${object}, -1) || ${members} || '}'`;
}

/** As it is where JSON has the like, otherwise its own text. A cast would not do: some types cast to another text. */
function jsonValue({ name, output }: ExportColumn, alias: string): Sql {
  const value = ident(alias, name);
  if (NATIVE.has(output)) return sql`${value}`;
  return sql`pg_catalog.textin(${raw(output)}(${value})) as ${ident(name)}`;
}
