import { isToolTable } from '../ledger/tool-tables.js';
import { indexBy } from '../../core/group-by.js';
import type { Connection } from '../../pg/connection.js';
import { raw, sql } from '../../pg/sql.js';
import type { Relation } from './driver.js';

/** Tables of a schema with keys and references; partitions are reached through their parent. */
export async function readRelations(
  connection: Connection,
  schema: string,
  tenantColumn: string,
): Promise<Relation[]> {
  const rows = await connection.rows<Relation>(sql`
    select c.relname as name,
      case when exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = ${tenantColumn} and not a.attisdropped)
        then ${tenantColumn}::text end as "tenantColumn",
      coalesce((select array_agg(a.attname::text order by k.n) from pg_index i
        cross join unnest(i.indkey::int2[]) with ordinality as k (attnum, n)
        join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
        where i.indrelid = c.oid and i.indisprimary), '{}') as key,
      coalesce((select array_agg(distinct r.relname::text) from pg_constraint f join pg_class r on r.oid = f.confrelid
        where f.conrelid = c.oid and f.contype = 'f' and f.confrelid <> c.oid), '{}') as "references"
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = ${schema} and c.relkind in ('r', 'p') and not c.relispartition and not ${raw(isToolTable('c'))}
    order by c.relname`);
  return inReferenceOrder(rows);
}

/** Referenced tables first. Tables that refer to each other in a circle keep their order by name. */
function inReferenceOrder(relations: readonly Relation[]): Relation[] {
  const byName = indexBy(relations, ({ name }) => name);
  const ordered = new Set<Relation>();
  const visit = (relation: Relation, path: ReadonlySet<Relation>): void => {
    if (ordered.has(relation) || path.has(relation)) return;
    for (const name of relation.references) {
      const referenced = byName.get(name);
      if (referenced !== undefined) visit(referenced, new Set([...path, relation]));
    }
    ordered.add(relation);
  };
  for (const relation of relations) visit(relation, new Set());
  return [...ordered];
}
