import type { Connection } from '../../pg/connection.js';
import { raw, sql } from '../../pg/sql.js';

/**
 * A further item of the SELECT that begins a migration: its commit does not wait for the disk. What it wrote and its
 * ledger row are in one record of the log, so a crash keeps both or neither, and whoever commits durably later takes
 * everything before along.
 */
export const WITHOUT_FLUSH = raw(`, set_config('synchronous_commit', 'off', true)`);

/** A session whose own commits do not wait for the disk waits with this one; any stricter setting stays. */
const AT_LEAST_LOCAL = sql`
  select set_config('synchronous_commit', case current_setting('synchronous_commit') when 'off' then 'local' else current_setting('synchronous_commit') end, true)`;

/** A record of the log is what a commit waits for; this one stands for nothing. */
const RECORD = sql`select pg_logical_emit_message(true, 'tenantctl', '')`;

/** Waits until all that was committed on this server before is on its disk, and on the standbys that commits wait for. */
export async function flushCommits(connection: Connection): Promise<void> {
  await connection.atomically([AT_LEAST_LOCAL, RECORD]);
}

/**
 * Waits until the work on units of this database is on the disk, and looks whether it is there: a server that crashed
 * before that has taken the last commits back.
 * @param expected the newest migration of each unit, by ledger key
 * @returns the ledger keys of the units that do not have it
 */
export async function lostCommits(
  connection: Connection,
  expected: ReadonlyMap<string, number>,
): Promise<string[]> {
  await flushCommits(connection);
  // Counted, as the server would answer NOT EXISTS by reading the whole ledger, again and again in a run.
  const rows = await connection.rows<{ unit: string }>(sql`
    select e.unit from unnest(${[...expected.keys()]}::text[], ${[...expected.values()]}::integer[]) as e (unit, id)
     where 0 = (
       select count(*) from tenantctl.ledger l
        where l.unit = e.unit and l.id = e.id and l.rolled_back_at is null and l.state = 'applied')`);
  return rows.map(({ unit }) => unit);
}
