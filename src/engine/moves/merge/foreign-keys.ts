import type { Connection } from '../../../pg/connection.js';
import { sql } from '../../../pg/sql.js';
import { movedRelations } from './moved-relations.js';

export interface ForeignKey {
  name: string;
  child: string;
  parent: string;
  childColumns: string[];
  parentColumns: string[];
  /** Looks only when constraints become immediate, so a referenced row may go and come back before that. */
  lazy: boolean;
  /**
   * A column of the child that can be NULL for a moment, which lets go of the parent: nothing else looks at it. Null
   * when there is none; then the child has to go with its parent.
   */
  loose: string | null;
}

/** The foreign keys between tables that are moved; one of a partition counts for the table. */
export async function readForeignKeys(
  session: Connection,
  schema: string,
  tables: readonly string[],
): Promise<ForeignKey[]> {
  return session.rows<ForeignKey>(sql`
    with ${movedRelations(schema, tables)},
    -- Every column of every partition, as what looks at a column may be there only.
    col as (select m.name as table, m.relid, a.attnum, a.attname::text as name, a.attnotnull, a.attgenerated, t.typtype
      from moved m join pg_attribute a on a.attrelid = m.relid and a.attnum > 0 and not a.attisdropped
      join pg_type t on t.oid = a.atttypid),
    watched as (select distinct col.table, col.name from col where col.attnotnull or col.attgenerated <> '' or col.typtype = 'd'
      or exists (select from pg_constraint k where k.conrelid = col.relid and col.attnum = any (k.conkey)
                  and (k.contype in ('c', 'x') or (k.contype = 'f' and k.confmatchtype <> 's')))
      or exists (select from pg_constraint k where k.confrelid = col.relid and k.contype = 'f' and col.attnum = any (k.confkey))
      or exists (select from pg_partitioned_table p where p.partrelid = col.relid and (col.attnum = any (p.partattrs::int2[]) or p.partexprs is not null))
      or exists (select from pg_attrdef d join pg_attribute g on g.attrelid = d.adrelid and g.attnum = d.adnum and g.attgenerated <> ''
                  join pg_depend on classid = 'pg_attrdef'::regclass and objid = d.oid and refobjid = col.relid and refobjsubid = col.attnum
                 where d.adrelid = col.relid)
      or exists (select from pg_index i where i.indrelid = col.relid and i.indisunique and (i.indnullsnotdistinct and col.attnum = any (i.indkey::int2[])
                  or (i.indpred is not null or i.indexprs is not null) and exists (select from pg_depend
                    where classid = 'pg_class'::regclass and objid = i.indexrelid and refobjid = col.relid and refobjsubid = col.attnum))))
    select k.conname::text as name, child.name as child, parent.name as parent,
      k.condeferrable and k.confdeltype = 'a' as lazy,
      array_agg(c.name order by pair.n) as "childColumns", array_agg(p.name order by pair.n) as "parentColumns",
      (array_agg(c.name order by pair.n) filter (where not exists (
        select from watched w where w.table = c.table and w.name = c.name)))[1] as loose
      from pg_constraint k
      join moved child on child.relid = k.conrelid join moved parent on parent.relid = k.confrelid
      cross join lateral unnest(k.conkey, k.confkey) with ordinality as pair (child, parent, n)
      join col c on c.relid = k.conrelid and c.attnum = pair.child
      join col p on p.relid = k.confrelid and p.attnum = pair.parent
     where k.contype = 'f' and k.conparentid = 0
     group by k.oid, k.conname, child.name, parent.name, k.condeferrable, k.confdeltype
     order by child.name, k.conname`);
}
