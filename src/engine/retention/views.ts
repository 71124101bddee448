import type { Connection } from '../../pg/connection.js';
import { raw, sql } from '../../pg/sql.js';
import type { Side } from '../rows/side.js';
import type { ScopedTable } from '../rows/scope.js';

/** A materialised view that was filled from tables of a pool. */
export interface DerivedView {
  /** Qualified and quoted. */
  view: string;
  /** Can readers go on while it is filled again? */
  concurrently: boolean;
}

/** Every filled materialised view that reads one of these tables, directly or by way of other views; those that others read first. */
export async function derivedViews(
  session: Connection,
  side: Side,
  tables: readonly ScopedTable[],
): Promise<DerivedView[]> {
  return session.rows<DerivedView>(sql`
    with recursive reads (oid, depth) as (
      select c.oid, 0 from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where n.nspname = ${side.home.placement.schema} and c.relname = any (${tables.map(({ name }) => name)}::text[])
      union
      select w.ev_class, r.depth + 1 from reads r join pg_depend d on d.refclassid = 'pg_class'::regclass and d.refobjid = r.oid
        join pg_rewrite w on d.classid = 'pg_rewrite'::regclass and w.oid = d.objid
       where w.ev_class <> r.oid and r.depth < 32)
    select c.oid::regclass::text as view,
      exists (select from pg_index i where i.indrelid = c.oid and i.indisunique and i.indisvalid and i.indpred is null and i.indexprs is null) as concurrently
      from reads r join pg_class c on c.oid = r.oid where c.relkind = 'm' and c.relispopulated
     group by c.oid order by max(r.depth), 1`);
}

/** Fills a view again from the rows that are there now. */
export async function refreshView(session: Connection, { view, concurrently }: DerivedView): Promise<void> {
  await session.execute(raw(`refresh materialized view ${concurrently ? 'concurrently ' : ''}${view}`));
}
