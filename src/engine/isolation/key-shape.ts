import { type Sql, ident, raw, sql } from '../../pg/sql.js';
import { nameWith } from './statements.js';

/** Everything about a unique key or exclusion that another one in its place must have as well. */
export interface KeyShape {
  schema: string;
  table: string;
  /** Of the index, and of the constraint where there is one. */
  name: string;
  method: string;
  /** What follows the bracket of the index's columns, as the server writes it: null where that cannot be told. */
  body: string | null;
  condition: string | null;
  tablespace: string | null;
  constraint: 'p' | 'u' | 'x' | null;
  /** The constraint, as the server writes it. */
  definition: string | null;
  ending: string;
  partitioned: boolean;
  /** Do foreign keys refer to it? */
  referenced: boolean;
  /** Does logical replication find rows by it? */
  identity: boolean;
  /** Can a tenant column of this type be compared in such an index? */
  comparable: boolean;
}

/**
 * A query for the shape of an index, as JSON.
 * @param index its row of pg_index
 * @param column the name of the tenant column
 */
export function keyShape(index: Sql, column: string): Sql {
  return sql`(
    select json_build_object('schema', n.nspname, 'table', c.relname, 'name', shaped_name.relname, 'method', m.amname,
      'body', case when starts_with(d.definition, d.prefix) and (d.suffix = '' or right(d.definition, length(d.suffix)) = d.suffix)
        then substr(d.definition, length(d.prefix) + 1, length(d.definition) - length(d.prefix) - length(d.suffix)) end,
      'condition', pg_get_expr(shaped.indpred, shaped.indrelid), 'tablespace', s.spcname, 'constraint', k.contype, 'definition', pg_get_constraintdef(k.oid),
      'ending', concat(case when k.condeferrable then ' deferrable' end, case when k.condeferred then ' initially deferred' end),
      'partitioned', c.relkind = 'p', 'referenced', exists (select from pg_constraint f where f.contype = 'f' and f.conindid = shaped.indexrelid),
      'identity', shaped.indisreplident, 'comparable', exists (select from pg_attribute a join pg_opclass o on o.opcintype = a.atttypid
        where a.attrelid = c.oid and a.attname = ${column} and o.opcmethod = m.oid))
      from pg_index shaped join pg_class shaped_name on shaped_name.oid = shaped.indexrelid join pg_class c on c.oid = shaped.indrelid join pg_namespace n on n.oid = c.relnamespace
      join pg_am m on m.oid = shaped_name.relam left join pg_tablespace s on s.oid = shaped_name.reltablespace
      left join pg_constraint k on k.conindid = shaped.indexrelid and k.conrelid = shaped.indrelid and k.contype in ('p', 'u', 'x')
      cross join lateral (select pg_get_indexdef(shaped.indexrelid) as definition,
        concat('CREATE ', case when shaped.indisunique then 'UNIQUE ' end, 'INDEX ', quote_ident(shaped_name.relname), ' ON ', case when shaped_name.relkind = 'I' then 'ONLY ' end,
          c.oid::regclass, ' USING ', quote_ident(m.amname), ' (') as prefix,
        coalesce(' WHERE ' || pg_get_expr(shaped.indpred, shaped.indrelid), '') as suffix) d
     where shaped.indexrelid = ${index})`;
}

/**
 * The whole change to a key that begins with the tenant column, in the order in which nobody goes without: the new one beside
 * the old one, without a lock that blocks writers where the server can, and then the old one's end. None where foreign keys
 * refer to it, which must change first, or where the server cannot compare the column so.
 */
export function remadeKey(shape: KeyShape, tenantColumn: string): Sql[] {
  const { constraint, partitioned, referenced, body } = shape;
  if (referenced || body === null) return [];
  const table = ident(shape.schema, shape.table);
  if (constraint === 'x')
    return shape.comparable ? [redefined(shape, table, `${leading(tenantColumn)} with =`)] : [];
  if (constraint !== null && partitioned) return [redefined(shape, table, leading(tenantColumn))];
  return [
    createdBeside(shape, table, tenantColumn, body),
    ...(constraint === null ? putInPlace(shape) : [takenByConstraint(shape, table)]),
    ...(shape.identity ? [sql`alter table ${table} replica identity using index ${ident(shape.name)}`] : []),
  ];
}

function leading(column: string): string {
  return ident(column).text();
}

/** The constraint anew, with one more part at its beginning: the server makes it while it holds the table. */
function redefined({ name, definition }: KeyShape, table: Sql, first: string): Sql {
  const text = (definition ?? '').replace('(', () => `(${first}, `);
  return sql`alter table ${table} drop constraint ${ident(name)}, add constraint ${ident(name)} ${raw(text)}`;
}

function createdBeside(shape: KeyShape, table: Sql, tenantColumn: string, body: string): Sql {
  const { name, method, condition, tablespace, partitioned } = shape;
  // A partitioned table does not know how to do it beside the applications' work.
  const beside = raw(partitioned ? '' : 'concurrently ');
  const where = raw(condition === null ? '' : ` where ${condition}`);
  const place = tablespace === null ? raw('') : sql` tablespace ${ident(tablespace)}`;
  return sql`create unique index ${beside}${ident(nameWith(name, '_new'))} on ${table} using ${ident(method)} (${raw(leading(tenantColumn))}, ${raw(body)}${place}${where}`;
}

function putInPlace({ schema, name, partitioned }: KeyShape): Sql[] {
  return [
    sql`drop index ${raw(partitioned ? '' : 'concurrently ')}${ident(schema, name)}`,
    sql`alter index ${ident(schema, nameWith(name, '_new'))} rename to ${ident(name)}`,
  ];
}

function takenByConstraint({ name, constraint, ending }: KeyShape, table: Sql): Sql {
  const kind = raw(constraint === 'p' ? 'primary key' : 'unique');
  return sql`alter table ${table} drop constraint ${ident(name)}, add constraint ${ident(name)} ${kind} using index ${ident(nameWith(name, '_new'))}${raw(ending)}`;
}
