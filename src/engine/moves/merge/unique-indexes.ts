import type { Connection } from '../../../pg/connection.js';
import { sql } from '../../../pg/sql.js';
import { movedRelations } from './moved-relations.js';

export interface UniquePart {
  /** With its collation; over columns of the table, which are not qualified. */
  expression: string;
  /** When it is a plain column. */
  column: string | null;
  /** The operator by which this index finds two values equal. */
  equals: string;
}

export interface UniqueIndex {
  table: string;
  parts: UniquePart[];
  predicate: string | null;
  /** NULLS NOT DISTINCT */
  nullsEqual: boolean;
}

/** The unique indexes that refuse a second row at once; deferrable ones wait until the merge is through. */
export async function readUniques(
  session: Connection,
  schema: string,
  tables: readonly string[],
): Promise<UniqueIndex[]> {
  return session.rows<UniqueIndex>(sql`
    with ${movedRelations(schema, tables)}
    select m.name as table, pg_get_expr(i.indpred, i.indrelid) as predicate, i.indnullsnotdistinct as "nullsEqual",
      (select json_agg(json_build_object(
          'expression', format('(%s)', pg_get_indexdef(i.indexrelid, n, true))
            || coalesce((select format(' collate %I.%I', s.nspname, l.collname) from pg_collation l
                 join pg_namespace s on s.oid = l.collnamespace where l.oid = i.indcollation[n - 1]), ''),
          'column', (select a.attname from pg_attribute a where a.attrelid = i.indrelid and a.attnum = i.indkey[n - 1]),
          'equals', (select format('operator(%I.%s)', s.nspname, o.oprname) from pg_opclass c
             join pg_amop e on e.amopfamily = c.opcfamily and e.amopstrategy = 3
              and e.amoplefttype = c.opcintype and e.amoprighttype = c.opcintype
             join pg_operator o on o.oid = e.amopopr join pg_namespace s on s.oid = o.oprnamespace
            where c.oid = i.indclass[n - 1])) order by n)
         from generate_series(1, i.indnkeyatts) n) as parts
      from moved m join pg_index i on i.indrelid = m.relid join pg_class c on c.oid = i.indexrelid
     where i.indisunique and i.indimmediate and i.indisvalid and not i.indisexclusion and not c.relispartition
     order by m.name, c.relname`);
}

export interface GeneratedColumn {
  name: string;
  expression: string;
}

interface SpecialColumn {
  table: string;
  name: string;
  /** GENERATED ALWAYS AS IDENTITY */
  always: boolean;
  /** Of a generated column. */
  expression: string | null;
}

/** The columns that a row is not simply given. */
export async function readColumns(
  session: Connection,
  schema: string,
  tables: readonly string[],
): Promise<SpecialColumn[]> {
  return session.rows<SpecialColumn>(sql`
    with ${movedRelations(schema, tables)}
    select root.name as table, a.attname::text as name, a.attidentity = 'a' as always,
      case when a.attgenerated <> '' then pg_get_expr(d.adbin, d.adrelid) end as expression
      from root join pg_attribute a on a.attrelid = root.oid and a.attnum > 0 and not a.attisdropped
      left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
     where a.attidentity = 'a' or a.attgenerated <> ''
     order by 1, 2`);
}

/**
 * The columns of unique indexes whose values may be equal without being the same, as 1.0 and 1.00 are: by the support
 * function with which the server itself decides that (`equalimage`), and by their collation.
 */
export async function readInexact(
  session: Connection,
  schema: string,
  tables: readonly string[],
): Promise<{ table: string; name: string }[]> {
  return session.rows(sql`
    with ${movedRelations(schema, tables)}
    select distinct root.name as table, a.attname::text as name
      from root join pg_index i on i.indrelid = root.oid and i.indisunique
      cross join lateral unnest(i.indkey::int2[], i.indclass::oid[], i.indcollation::oid[]) as part (attnum, class, sorting)
      join pg_attribute a on a.attrelid = root.oid and a.attnum = part.attnum
      join pg_opclass c on c.oid = part.class
      left join pg_collation l on l.oid = part.sorting
     where not coalesce(l.collisdeterministic, true) or not exists (
       select from pg_amproc p where p.amprocfamily = c.opcfamily and p.amproclefttype = c.opcintype and p.amprocnum = 4)
     order by 1, 2`);
}
