import { type Sql, sql } from '../../../pg/sql.js';

/** A WITH query `moved (name, relid)`: the tables of these names with every partition of theirs, under the table's name. */
export function movedRelations(schema: string, names: readonly string[]): Sql {
  return sql`root as (
      select c.relname::text as name, c.oid from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where n.nspname = ${schema} and c.relname = any (${[...names]}::text[]) and c.relkind in ('r', 'p')),
    moved as (
      select name, oid as relid from root
      union select root.name, part.relid::oid from root cross join lateral pg_partition_tree(root.oid) part)`;
}
