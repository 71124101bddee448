import type { Connection } from '../../pg/connection.js';
import { type Sql, ident, join, raw, sql } from '../../pg/sql.js';
import type { Side } from '../rows/side.js';

interface PlainIndex {
  name: string;
  definition: string;
}

/**
 * Takes the indexes of a table away that its rows are only read by, in a transaction of the caller's: built over all rows at
 * once they take less than row by row. What keeps rows apart or finds them again stays, and so does whatever its definition
 * does not say all about, or cannot be built from everywhere: functions in an index may find nothing under the
 * search path that the server builds indexes with since 17.
 * @returns the statements that make them again as they were
 */
export async function withoutPlainIndexes(session: Connection, side: Side, table: string): Promise<Sql[]> {
  const { schema } = side.home.placement;
  const indexes = await session.rows<PlainIndex>(sql`
    select x.relname as name, pg_get_indexdef(x.oid) as definition
      from pg_namespace n
      join pg_class t on t.relnamespace = n.oid and t.relname = ${table}
      join pg_index i on i.indrelid = t.oid
      join pg_class x on x.oid = i.indexrelid
     where n.nspname = ${schema} and x.relkind = 'i' and not x.relispartition and x.reltablespace = 0
       and i.indisvalid and not i.indisunique and not i.indisexclusion and not i.indisclustered and not i.indisreplident
       and i.indexprs is null and i.indpred is null
       and not exists (select from pg_description where classoid = 'pg_class'::regclass and objoid = x.oid)
       and not exists (select from pg_attribute where attrelid = x.oid and attstattarget >= 0)
       and not exists (select from pg_depend
                        where (refclassid = 'pg_class'::regclass and refobjid = x.oid)
                           or (classid = 'pg_class'::regclass and objid = x.oid and deptype in ('x', 'e')))
     order by 1`);
  if (indexes.length === 0) return [];
  await session.execute(sql`drop index ${join(indexes.map(({ name }) => ident(schema, name)))}`);
  // Processors are what neighbours are short of.
  return [
    sql`set local max_parallel_maintenance_workers = 0`,
    ...indexes.map(({ definition }) => raw(definition)),
  ];
}
