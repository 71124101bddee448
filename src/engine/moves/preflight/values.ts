import { type Sql, ident, raw, sql } from '../../../pg/sql.js';
import { tableOf } from '../../rows/side.js';
import { type TenantTable, ownRows } from '../../rows/tables.js';
import type { Inspected, PreflightRule } from './finding.js';

/** Objects that a server makes for itself have smaller ones. */
const FIRST_OF_USERS = 16_384;

interface SpecialColumn {
  table: string;
  column: string;
  type: string;
  /** Is it an array of them? */
  many: boolean;
}

/** A large object stands beside the tables and belongs to no tenant; a copied number would mean nothing elsewhere. */
export const largeObjects: PreflightRule = async ({ source }) => {
  const columns = await columnsOf(
    source,
    sql`e.oid = 'oid'::regtype or (e.typtype = 'd' and e.typbasetype = 'oid'::regtype)`,
  );
  const found = await withValue(
    source,
    columns,
    (value) => sql`exists (select from pg_largeobject_metadata m where m.oid = ${value}::oid)`,
  );
  return found.map(({ table, column }) => {
    const [on, from, to] = [ident(table).text(), ident(column).text(), ident(`${column}_bytes`).text()];
    return {
      rule: 'large-object',
      level: 'error',
      where: `${table}.${column}`,
      message: `Column ${column} of table ${table} refers to large objects of this tenant, which are not rows and do not move.`,
      hint: `Keep them as bytea, with a migration: alter table ${on} add column ${to} bytea; update ${on} set ${to} = lo_get(${from}) where ${from} is not null;`,
    };
  });
};

/** Such a value is the number of an object here, and is printed as its name: elsewhere it is another one, or none. */
export const objectNames: PreflightRule = async ({ source }) => {
  const columns = await columnsOf(
    source,
    sql`e.typname like 'reg%' and e.typnamespace = 'pg_catalog'::regnamespace`,
  );
  const found = await withValue(
    source,
    columns,
    (value) => sql`${value}::oid >= ${raw(String(FIRST_OF_USERS))}`,
  );
  return found.map(({ table, column, type }) => {
    const [on, name] = [ident(table).text(), ident(column).text()];
    return {
      rule: 'object-name',
      level: 'error',
      where: `${table}.${column}`,
      message: `Column ${column} of table ${table} has type ${type} and names objects of this database, which have other numbers or names at the new home.`,
      hint: `Keep the names as text, with a migration: alter table ${on} alter column ${name} type ${type.endsWith('[]') ? 'text[]' : 'text'} using ${name}::${type.endsWith('[]') ? 'text[]' : 'text'};`,
    };
  });
};

/** Columns whose type, or the type of whose elements, is meant by `condition` over `e`. */
function columnsOf({ session, side, tables }: Inspected, condition: Sql): Promise<SpecialColumn[]> {
  return session.rows<SpecialColumn>(sql`
    select c.relname::text as table, a.attname::text as column, format_type(a.atttypid, a.atttypmod) as type,
           t.oid <> e.oid as many
      from pg_class c join pg_namespace n on n.oid = c.relnamespace and n.nspname = ${side.home.placement.schema}
      join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      join pg_type t on t.oid = a.atttypid
      join pg_type e on e.oid = case when t.typcategory = 'A' and t.typelem <> 0 then t.typelem else t.oid end
     where c.relname = any (${tables.map(({ name }) => name)}::text[]) and (${condition}) order by 1, 2`);
}

/** Those of the columns in which a row of the tenant has a value of that kind. */
async function withValue(
  { session, side, tables }: Inspected,
  columns: readonly SpecialColumn[],
  isMeant: (value: Sql) => Sql,
): Promise<SpecialColumn[]> {
  const found: SpecialColumn[] = [];
  for (const one of columns) {
    const table = tables.find(({ name }) => name === one.table) as TenantTable;
    const values = one.many
      ? sql`unnest(${ident('x', one.column)})`
      : sql`(values (${ident('x', one.column)}))`;
    const row = await session.row(sql`
      select from ${tableOf(side, one.table)} x cross join lateral ${values} as v (value)
       where ${ownRows(side, table, 'x')} and v.value is not null and ${isMeant(sql`v.value`)} limit 1`);
    if (row !== undefined) found.push(one);
  }
  return found;
}
