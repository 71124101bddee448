import { EXIT, TenantctlError } from '../../../core/errors.js';
import { type Sql, ident, raw, sql } from '../../../pg/sql.js';
import { type Side, tableOf } from '../../rows/side.js';
import { PRESENT } from '../stages.js';
import { image, rowWithKey, storedNames } from './parts.js';
import type { Pool, PoolTable } from './pool-tables.js';
import type { Deed } from './write.js';

/** Rows that were planned and done, in the order of `SLOTS`. */
export interface Effect {
  table: string;
  planned: number[];
  done: number[];
}

/** Of each table the server counts these, in this order. */
export const SLOTS: readonly Deed[] = ['insert', 'update', 'delete'];

/** The function of the session that tells what this transaction has written. */
export const WRITTEN = raw('pg_temp.tenantctl_written()');

/**
 * Counts what the session has written to each table, partitions together: to the tables that are moved and to every
 * other one that this transaction holds a lock on, as whoever writes does. The server's counters also hold what
 * earlier transactions have not reported yet, so only differences say something.
 * The tool's own tables are left out: one that is locked only later has no count to begin with, and what this session
 * wrote there a moment ago would seem to be of this transaction.
 */
export function writtenFunction({ side, tables }: Pool): Sql {
  return sql`create or replace function ${WRITTEN} returns table (root oid, counts bigint[])
    language sql as $written$
      select coalesce(pg_partition_root(c.oid), c.oid), array[sum(pg_stat_get_xact_tuples_inserted(c.oid)),
          sum(pg_stat_get_xact_tuples_updated(c.oid)), sum(pg_stat_get_xact_tuples_deleted(c.oid))]::bigint[]
        from (select relid from unnest(${rootsOf(side, tables)}) t (relid)
              union select part.relid from unnest(${rootsOf(side, tables)}) t (relid) cross join lateral pg_partition_tree(t.relid) part
              union select relation from pg_locks where pid = pg_backend_pid() and locktype = 'relation') locked
        join pg_class c on c.oid = locked.relid
       where c.relkind = 'r' and c.relpersistence <> 't' and c.relnamespace not in ('pg_catalog'::regnamespace, 'tenantctl'::regnamespace)
       group by 1 $written$`;
}

/** The moved tables in their order, as object identifiers. */
export function rootsOf(side: Side, tables: readonly PoolTable[]): Sql {
  const names = tables.map(({ table }) => sql`${tableOf(side, table.name).text()}::regclass::oid`.text());
  return raw(`array[${names.join(', ')}]::oid[]`);
}

/** How many staged keys do not have the row that they should have, or have one. */
export function countUnequalStaged(pool: Pool, table: PoolTable): Sql {
  const stored = storedNames(table);
  const first = ident('x', table.table.key[0] as string);
  return sql`select count(*) from ${table.staged} s left join lateral ${rowWithKey(pool, table, 's')} x on true
    where case when s.${PRESENT} then ${first} is null or ${image('x', stored)} *<> ${image('s', stored)}
      else ${first} is not null end`;
}

/** The same of rows that were written again: no comparison with the source looks at them. */
export function countUnequalSaved(pool: Pool, table: PoolTable): Sql {
  const stored = storedNames(table);
  const first = ident('x', table.table.key[0] as string);
  return sql`select count(*) from ${table.saved} s left join lateral ${rowWithKey(pool, table, 's')} x on true
    where ${first} is null or ${image('x', stored)} *<> ${image('s', stored)}`;
}

/** @throws difference error `MOVE_SIDE_EFFECT` (exit 8) that names the tables and the counts */
export function refuseEffects(effects: readonly Effect[]): void {
  if (effects.length === 0) return;
  const said = effects.map(
    ({ table, planned, done }) => `${table}: ${counted(planned)} planned, ${counted(done)} done`,
  );
  throw sideEffect(`Writing the rows of the tenant has done something else as well. ${said.join('; ')}.`, {
    effects,
  });
}

/** @throws difference error `MOVE_SIDE_EFFECT` (exit 8) that names the tables and the number of rows */
export function refuseUnequal(unequal: readonly { table: string; rows: number }[]): void {
  if (unequal.length === 0) return;
  const said = unequal.map(({ table, rows }) => `${rows} of table ${table}`).join(', ');
  throw sideEffect(`Rows are not what was written: ${said}.`, { unequal });
}

function counted(counts: readonly number[]): string {
  const parts = SLOTS.map((deed, n) => ({ deed, rows: counts[n] ?? 0 })).filter(({ rows }) => rows > 0);
  return parts.length === 0 ? 'nothing' : parts.map(({ deed, rows }) => `${rows} ${deed}`).join(' + ');
}

function sideEffect(message: string, facts: Record<string, unknown>): TenantctlError {
  return new TenantctlError('MOVE_SIDE_EFFECT', EXIT.difference, message, {
    hint: 'Nothing of this cycle was kept. Look for a trigger or rule that came during the move, drop it or let it skip sessions with tenantctl.moving set, then `tenantctl moves resume`.',
    facts,
  });
}
