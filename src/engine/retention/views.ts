import type { Connection } from '../../pg/connection.js';
import { ident, raw, sql } from '../../pg/sql.js';
import type { Side } from '../rows/side.js';
import type { ScopedTable } from '../rows/scope.js';

/** A materialized view that was filled from tables of a pool. */
export interface DerivedView {
  /** Qualified and quoted. */
  view: string;
  /** Can readers go on while it is filled again? */
  concurrently: boolean;
  /** May we fill it again? */
  ours: boolean;
}

/** How many rows of the tenant a materialized view holds. */
export interface ViewRows {
  /** `schema.view`, as it is, without quotes. */
  name: string;
  rows: number;
}

/** Every filled materialized view that reads one of these tables, directly or by way of other views; those that others read first. */
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
      exists (select from pg_index i where i.indrelid = c.oid and i.indisunique and i.indisvalid and i.indpred is null and i.indexprs is null) as concurrently,
      pg_has_role(c.relowner, 'USAGE') as ours
      from reads r join pg_class c on c.oid = r.oid where c.relkind = 'm' and c.relispopulated
     group by c.oid order by max(r.depth), 1`);
}

/** Fills a view again from the rows that are there now. */
export async function refreshView(session: Connection, { view, concurrently }: DerivedView): Promise<void> {
  await session.execute(raw(`refresh materialized view ${concurrently ? 'concurrently ' : ''}${view}`));
}

/** What materialized views with the tenant column hold of the tenant; those that are filled again or go with its home. */
export async function viewRows(
  session: Connection,
  side: Side,
  tenantColumn: string,
  derived: readonly DerivedView[],
): Promise<ViewRows[]> {
  const views = await session.rows<{ name: string; from: string }>(sql`
    select n.nspname || '.' || c.relname as name, format('%I.%I', n.nspname, c.relname) as from
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
      join pg_attribute a on a.attrelid = c.oid and a.attname = ${tenantColumn} and not a.attisdropped
     where c.relkind = 'm' and c.relispopulated and has_table_privilege(c.oid, 'SELECT')
       and (c.oid = any (${derived.map(({ view }) => view)}::text[]::regclass[]) or (${!side.shared} and n.nspname = ${side.home.placement.schema}))
     order by 1`);
  const found: ViewRows[] = [];
  for (const { name, from } of views) {
    const row = await session.row<{ rows: number }>(sql`
      select count(*)::float8 as rows from ${raw(from)} x where ${ident('x', tenantColumn)}::text = ${side.home.tenant.key}`);
    found.push({ name, rows: row?.rows ?? 0 });
  }
  return found;
}
