import type { Connection } from '../../pg/connection.js';
import { sql } from '../../pg/sql.js';
import { type Side, tableOf } from '../rows/side.js';

/** Fills the materialized views of a home of the tenant's own again, those that others are made from first. */
export async function refreshViews(session: Connection, side: Side): Promise<void> {
  for (const name of await populatedViews(session, side))
    await session.execute(sql`refresh materialized view ${tableOf(side, name)}`);
}

/** The materialized views of a home that hold rows, the older ones first: a view is made after what it reads. */
export async function populatedViews(session: Connection, { home }: Side): Promise<string[]> {
  const rows = await session.rows<{ name: string }>(sql`
    select c.relname::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = ${home.placement.schema} and c.relkind = 'm' and c.relispopulated order by c.oid`);
  return rows.map(({ name }) => name);
}
