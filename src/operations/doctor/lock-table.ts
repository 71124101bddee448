import { raw } from '../../pg/sql.js';
import { type DatabaseContext, type DoctorFinding, placeName } from './rule.js';

/** What a dump and a drop would lock in one transaction, and the locks that the server has room for. */
export interface LockNeeds {
  /** Relations that `pg_dump` locks: tables, views, sequences. */
  dump: number;
  /** Relations of the largest schema, indexes as well: `DROP SCHEMA … CASCADE` locks them all. */
  largest: number;
  schema: string | null;
  capacity: number;
}

/** Has the server's lock table room for a dump of this database, and for dropping its largest schema? */
export async function lockTable(context: DatabaseContext): Promise<DoctorFinding[]> {
  const needs = await context.session.row<LockNeeds>(
    raw(`
    with relations as (
      select n.nspname, count(*) filter (where c.relkind in ('r', 'p', 'v', 'm', 'S', 'f'))::int as dump, count(*)::int as drop
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and c.relkind <> 'c' group by 1),
    largest as (select nspname, drop from relations order by drop desc limit 1)
    select coalesce((select sum(dump)::int from relations), 0) as dump, coalesce((select drop from largest), 0) as largest,
           (select nspname::text from largest) as schema,
           current_setting('max_locks_per_transaction')::int
             * (current_setting('max_connections')::int + current_setting('max_prepared_transactions')::int) as capacity`),
  );
  return needs === undefined ? [] : lockFindings(placeName(context), needs);
}

/** What is told of such needs. */
export function lockFindings(where: string, { dump, largest, schema, capacity }: LockNeeds): DoctorFinding[] {
  const needed = Math.max(dump, largest);
  if (needed <= capacity) return [];
  const what =
    largest > capacity
      ? `schema ${schema} has ${largest} relations: dropping it in one transaction fails (53200)`
      : `it has ${dump} relations to dump: pg_dump of the whole database fails (53200)`;
  return [
    {
      rule: 'lock-table',
      level: 'warning',
      where,
      message: `the server has room for about ${capacity} locks, and ${what}`,
      hint: `Raise max_locks_per_transaction so that, times max_connections, it exceeds ${needed} (a restart), or dump by \`--schema\`.`,
      facts: { dump, largest, schema, capacity },
    },
  ];
}
