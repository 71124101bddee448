import type { Connection } from '../../pg/connection.js';
import { sql } from '../../pg/sql.js';
import type { Side } from './side.js';

/** A foreign key between two tables of a home. */
export interface ForeignKey {
  name: string;
  child: string;
  columns: string[];
  parent: string;
  referenced: string[];
  /** Can none of its columns be NULL, so that every row has a parent? */
  notNull: boolean;
}

/** Every foreign key of a home, those of partitions not counted again, in order of table and name. */
export async function readForeignKeys(session: Connection, side: Side): Promise<ForeignKey[]> {
  return session.rows<ForeignKey>(sql`
    select k.conname::text as name, c.relname::text as child, p.relname::text as parent,
      (select array_agg(a.attname::text order by u.n) from unnest(k.conkey) with ordinality as u (attnum, n)
         join pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.attnum) as columns,
      (select array_agg(a.attname::text order by u.n) from unnest(k.confkey) with ordinality as u (attnum, n)
         join pg_attribute a on a.attrelid = k.confrelid and a.attnum = u.attnum) as referenced,
      (select bool_and(a.attnotnull) from pg_attribute a where a.attrelid = k.conrelid and a.attnum = any (k.conkey)) as "notNull"
      from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_class p on p.oid = k.confrelid
      join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = ${side.home.placement.schema} and p.relnamespace = c.relnamespace
       and k.contype = 'f' and k.conparentid = 0 and not c.relispartition order by 2, 1`);
}
