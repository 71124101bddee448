import type { Residue } from '../../core/certificate.js';
import type { Connection } from '../../pg/connection.js';
import { raw, sql } from '../../pg/sql.js';
import { type Side, tableOf } from '../rows/side.js';
import type { ScopedTable } from '../rows/scope.js';

/** Where the server stands that has deleted rows: what may still hold them. */
export type ServerResidue = Omit<Residue['servers'][number], 'cluster'>;

/** What the log and its readers still hold. Positions of replicas are null where the administrator may not see them. */
export async function serverResidue(session: Connection): Promise<ServerResidue> {
  const row = await session.row<ServerResidue>(
    raw(`
    select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as at,
      pg_current_wal_lsn()::text as "walLsn", current_setting('archive_mode') <> 'off' as archiving,
      (select min(pg_current_wal_lsn() - restart_lsn)::float8 from pg_replication_slots where restart_lsn is not null) as "walKeptBytes",
      coalesce((select json_agg(json_build_object('name', slot_name, 'restartLsn', restart_lsn) order by slot_name)
         from pg_replication_slots), '[]') as slots,
      coalesce((select json_agg(json_build_object('name', application_name, 'replayLsn', replay_lsn, 'past', replay_lsn >= pg_current_wal_lsn())
         order by pid) from pg_stat_replication), '[]') as replicas`),
  );
  return row as ServerResidue;
}

/** What a shared table still holds of deleted rows on its pages, by the server's own count. */
type TableResidue = Residue['tables'][number];

/**
 * Takes fresh statistics, because the old ones hold samples of the values that were deleted, and says what the pages
 * still hold. Space is not rewritten: that is the business of VACUUM, which runs when the server finds it worth while.
 */
export async function tableResidue(
  session: Connection,
  side: Side,
  tables: readonly ScopedTable[],
): Promise<TableResidue[]> {
  for (const { name } of tables) await session.execute(sql`analyze ${tableOf(side, name)}`);
  const names = tables.map(({ name }) => name);
  return session.rows<TableResidue>(sql`
    select c.relname::text as table, coalesce(sum(s.n_dead_tup), 0)::float8 as "deadRows",
      to_char(max(greatest(s.last_vacuum, s.last_autovacuum)) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as "lastVacuum",
      true as analyzed
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
      left join lateral (select relid from pg_partition_tree(c.oid) where isleaf) part on true
      left join pg_stat_user_tables s on s.relid = coalesce(part.relid, c.oid)
     where n.nspname = ${side.home.placement.schema} and c.relname = any (${names}::text[]) group by 1 order by 1`);
}
