import type { Connection } from '../../pg/connection.js';
import { sql } from '../../pg/sql.js';

/** Tables of a schema that hold the tenant column and that no row-level security, forced on their owner, guards. */
export async function openTables(session: Connection, schema: string, column: string): Promise<string[]> {
  const rows = await session.rows<{ name: string }>(sql`
    select c.relname::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = ${schema} and c.relkind in ('r', 'p') and not (c.relrowsecurity and c.relforcerowsecurity)
       and exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = ${column} and a.attnum > 0 and not a.attisdropped)
     order by 1`);
  return rows.map(({ name }) => name);
}
