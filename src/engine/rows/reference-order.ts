import type { Connection } from '../../pg/connection.js';
import { sql } from '../../pg/sql.js';
import type { Side } from './side.js';
import type { TenantTable } from './tables.js';

/** Tables that refer to others before those that they refer to: by how far they are from the end of the references; those in a circle come in any order. */
export async function childrenFirst(
  session: Connection,
  side: Side,
  tables: readonly TenantTable[],
): Promise<TenantTable[]> {
  const edges = await session.rows<{ child: string; parent: string }>(sql`
    select distinct c.relname as child, p.relname as parent from pg_constraint k
      join pg_class c on c.oid = k.conrelid join pg_class p on p.oid = k.confrelid join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = ${side.home.placement.schema} and k.contype = 'f' and k.conrelid <> k.confrelid`);
  const left = new Map(tables.map((table) => [table.name, table]));
  const ordered: TenantTable[] = [];
  while (left.size > 0) {
    const referenced = new Set(
      edges.filter(({ child, parent }) => left.has(child) && child !== parent).map(({ parent }) => parent),
    );
    const free = [...left.values()].filter(({ name }) => !referenced.has(name));
    for (const table of free.length > 0 ? free : left.values()) {
      ordered.push(table);
      left.delete(table.name);
    }
  }
  return ordered;
}
