import { isToolTable } from '../ledger/tool-tables.js';
import type { ExportedSequence } from '../../core/export-manifest.js';
import { type Sql, ident, join, raw, sql } from '../../pg/sql.js';
import type { PlannedTable } from './plan.js';
import type { Snapshot } from './snapshot.js';

/** A sequence with the columns that it numbers. */
interface FoundSequence extends ExportedSequence {
  increment: string;
  numbers: { table: string; column: string }[];
}

/**
 * How far the sequences have come. They are not part of any snapshot: read after it, they are at least as far as the rows
 * are. In a pool they count for all tenants, and that number is nobody's business: there the tenant's own rows say how far
 * its sequences have come. Only of those that belong to no column nobody can tell it: they come as they are, for numbers
 * that are drawn twice would be worse.
 */
export async function readSequences(
  { session, side }: Snapshot,
  tables: readonly PlannedTable[],
): Promise<ExportedSequence[]> {
  const found = await session.rows<FoundSequence>(sql`
    select s.sequencename::text as name, s.last_value::text as value, s.increment_by::text as increment, coalesce(o.numbers, '[]') as numbers
      from pg_sequences s
      join pg_class q on q.relname = s.sequencename and q.relnamespace = (select oid from pg_namespace where nspname = s.schemaname)
      left join lateral (
        select json_agg(distinct jsonb_build_object('table', c.relname, 'column', a.attname)) as numbers
          from (select d.refobjid as rel, d.refobjsubid as att from pg_depend d
                 where d.classid = 'pg_class'::regclass and d.objid = q.oid and d.deptype in ('a', 'i') and d.refobjsubid > 0
                union
                select f.adrelid, f.adnum from pg_depend d join pg_attrdef f on d.classid = 'pg_attrdef'::regclass and d.objid = f.oid
                 where d.refclassid = 'pg_class'::regclass and d.refobjid = q.oid) n
          join pg_class c on c.oid = n.rel join pg_attribute a on a.attrelid = n.rel and a.attnum = n.att) o on true
     where s.schemaname = ${side.home.placement.schema} and not ${raw(isToolTable('q'))} order by 1`);
  if (!side.shared) return found.map(({ name, value }) => ({ name, value }));
  const sequences: ExportedSequence[] = [];
  for (const { name, value, increment, numbers } of found) {
    if (numbers.length === 0) {
      sequences.push({ name, value });
      continue;
    }
    const own = numbers.flatMap(({ table, column }) => {
      const exported = tables.find((one) => one.name === table);
      return exported === undefined ? [] : [{ rows: exported.rows, column }];
    });
    if (own.length > 0) sequences.push({ name, value: await furthest(session, own, increment) });
  }
  return sequences;
}

/** The largest number in any of the columns, or the smallest where the sequence counts down. */
async function furthest(
  session: Snapshot['session'],
  columns: readonly { rows: Sql; column: string }[],
  increment: string,
): Promise<string | null> {
  const extreme = raw(increment.startsWith('-') ? 'min' : 'max');
  const parts = columns.map(
    ({ rows, column }) => sql`select ${extreme}(${ident('x', column)})::bigint as value from ${rows}`,
  );
  const row = await session.row<{ value: string | null }>(
    sql`select ${extreme}(value)::text as value from (${join(parts, ' union all ')}) n`,
  );
  return row?.value ?? null;
}
