import { conflictError } from '../../core/errors.js';
import type { Reach } from '../../core/faults.js';
import { pause } from '../../core/pause.js';
import type { Connection } from '../../pg/connection.js';
import { isConnectionLoss, isDatabaseError } from '../../pg/errors.js';
import { type Sql, raw, sql } from '../../pg/sql.js';
import { type Side, tableOf } from '../rows/side.js';
import type { ForeignKey } from '../rows/foreign-keys.js';
import { violatesIntegrity, wholeCircle } from '../rows/whole-circle.js';
import { type ScopedTable, scopedRows } from '../rows/scope.js';
import { permitPurge } from './permit.js';
import type { Tempo } from './tempo.js';

/** The deletion of one tenant's rows from a home that is shared. */
export interface PurgeJob {
  session: Connection;
  side: Side;
  /** From when on the tenant may be deleted, as a time with zone. */
  dueAt: string;
  /** Tables that refer to others first. */
  tables: readonly ScopedTable[];
  foreignKeys: readonly ForeignKey[];
  tempo: Tempo;
  /** Throws when the work is to end; what was deleted stays deleted. */
  breathe: () => void;
  onBatch: (rows: number) => void;
  onTable: (purged: PurgedTable) => Promise<void>;
  reach: Reach;
}

/** What was done to one table. */
export interface PurgedTable {
  table: string;
  rows: number;
  batches: number;
  firstTxid: string | null;
  lastTxid: string | null;
  /** Where the log stood after the last batch. */
  lsn: string | null;
}

/** A trigger on one table may write to another one that is empty already; it does not go on for ever. */
const MOST_PASSES = 5;

/**
 * Deletes every row of the tenant, in small transactions, each of which asks first whether it may. Once more from the
 * beginning, until a whole pass has found nothing: a trigger may have written rows meanwhile.
 * @returns the number of rows
 * @throws SQLSTATE TC022 on hold · TC023 not due by that server's clock · TC025 a tenant lives there
 * @throws conflict `ROWS_STAY` (exit 5) when something keeps rows from being deleted
 */
export async function purgeRows(job: PurgeJob): Promise<number> {
  // Neighbours do not wait for the disk with us: what is deleted here is sure with the commit that removes the home, which
  // comes after all of it in the log.
  await job.session.execute(raw('set synchronous_commit = off'));
  let all = 0;
  for (let pass = 1; pass <= MOST_PASSES; pass += 1) {
    const found: string[] = [];
    let deleted = 0;
    for (const table of job.tables) {
      const { places, rows } = await purgeTable(job, table, pass);
      if (places > 0) found.push(table.name);
      deleted += rows;
    }
    all += deleted;
    if (found.length === 0) return all;
    if (deleted === 0 || pass === MOST_PASSES) throw rowsStay(job, found);
  }
  return all;
}

function rowsStay({ side }: PurgeJob, tables: readonly string[]) {
  const { id } = side.home.tenant;
  return conflictError(
    'ROWS_STAY',
    `Rows of tenant ${id} in ${tables.join(', ')} stay or come back, however often they are deleted.`,
    {
      hint: 'A trigger or rule on DELETE keeps them or writes them again. See to it, and run the same command again.',
      facts: { tenant: id, tables },
    },
  );
}

async function purgeTable(
  job: PurgeJob,
  table: ScopedTable,
  pass: number,
): Promise<{ places: number; rows: number }> {
  const parts = await notePlaces(job, table);
  const purged: PurgedTable = {
    table: table.name,
    rows: 0,
    batches: 0,
    firstTxid: null,
    lastTxid: null,
    lsn: null,
  };
  for (const part of parts)
    for (
      let first = part.first;
      first <= part.last;
      first = await purgeBatch(job, table, purged, part, first)
    )
      job.breathe();
  if (purged.rows > 0 || pass === 1) await job.onTable(purged);
  job.reach('retention.table-emptied');
  return { places: parts.reduce((sum, { first, last }) => sum + last - first + 1, 0), rows: purged.rows };
}

/** The places of rows in one table, or one partition of it, by their numbers. */
interface Part {
  /** Qualified and quoted. */
  name: string;
  first: number;
  last: number;
}

/**
 * Notes where the tenant's rows stand, in the order in which they stand there: they are looked for once and not once a
 * batch, among ever more that are dead, and each page is written once. Nobody else writes them, for the home is shut.
 */
async function notePlaces({ session, side }: PurgeJob, table: ScopedTable): Promise<Part[]> {
  await session.message(
    [
      'drop table if exists pg_temp.tenantctl_doomed',
      sql`create temp table tenantctl_doomed as
        select row_number() over (order by x.tableoid, x.ctid) as n, x.tableoid as part, x.ctid as place
          from ${tableOf(side, table.name)} x where ${scopedRows(side, table, 'x')}`.text(),
      'create index on tenantctl_doomed (n)',
    ].join('; '),
  );
  return session.rows<Part>(
    raw(`select part::regclass::text as name, min(n)::float8 as first, max(n)::float8 as last
      from pg_temp.tenantctl_doomed group by part order by 2`),
  );
}

/** What the server says of a statement of ours helps nobody who does not know which table it was about. */
function asTableFailure({ side }: PurgeJob, { name }: ScopedTable, error: unknown): unknown {
  const { id } = side.home.tenant;
  if (!isDatabaseError(error) || isConnectionLoss(error) || error.code.startsWith('TC')) return error;
  return conflictError(
    'ROWS_NOT_DELETED',
    `Rows of tenant ${id} in ${name} are not deleted: ${error.message}.`,
    {
      hint: 'See to what it names, most often a trigger of the table, and run the same command again: it goes on.',
      facts: { tenant: id, table: name, sqlstate: error.code },
      cause: error,
    },
  );
}

/** @returns the number of the place after those that were seen to */
async function purgeBatch(
  job: PurgeJob,
  table: ScopedTable,
  purged: PurgedTable,
  part: Part,
  first: number,
): Promise<number> {
  const last = Math.min(part.last, first + job.tempo.batch - 1);
  const { rows, txid, lsn, walBytes, ms } = await deleteRows(job, table, { ...part, first, last }).catch(
    (error: unknown) => {
      throw asTableFailure(job, table, error);
    },
  );
  purged.rows += rows;
  purged.batches += 1;
  purged.firstTxid ??= txid;
  purged.lastTxid = txid;
  purged.lsn = lsn;
  job.onBatch(rows);
  job.reach('retention.batch-deleted');
  await pause(job.tempo.after({ ms, walBytes }));
  return last + 1;
}

/** The condition is asked again: a place that was freed by somebody may hold another tenant's row by now. */
async function deleteRows(job: PurgeJob, table: ScopedTable, { name, first, last }: Part) {
  const { session, side } = job;
  const deletion = sql`delete from ${raw(name)} x where x.ctid = any (array(
    select place from pg_temp.tenantctl_doomed where n between ${raw(String(first))} and ${raw(String(last))})) and ${scopedRows(side, table, 'x')}`;
  const [, , deleted, cost] = await inOrAll(job, table, deletion, (statement) =>
    session.atomically([
      permitPurge(side.home, job.dueAt),
      sql`select set_config('tenantctl.wal', pg_current_wal_insert_lsn()::text, true)`,
      statement,
      sql`select pg_current_xact_id()::text as txid, pg_current_wal_insert_lsn()::text as lsn,
        (pg_current_wal_insert_lsn() - current_setting('tenantctl.wal')::pg_lsn)::float8 as "walBytes",
        extract(epoch from clock_timestamp() - now())::float8 * 1000 as ms`,
    ]),
  );
  const measured = cost?.rows[0] as { txid: string; lsn: string; walBytes: number; ms: number };
  return { rows: deleted?.rowCount ?? 0, ...measured };
}

/**
 * Rows that refer to each other cannot go in any order of batches: then all of their tables are emptied of the tenant in
 * one statement, at the end of which none is left to refer to another, or to be changed because another one has gone.
 */
async function inOrAll<T>(
  job: PurgeJob,
  table: ScopedTable,
  batch: Sql,
  run: (statement: Sql) => Promise<T>,
): Promise<T> {
  try {
    return await run(batch);
  } catch (error) {
    if (!violatesIntegrity(error)) throw error;
    const { side, tables, foreignKeys } = job;
    const allOf = (one: ScopedTable): Sql =>
      sql`delete from ${tableOf(side, one.name)} x where ${scopedRows(side, one, 'x')}`;
    return run(wholeCircle(table, tables, foreignKeys, allOf));
  }
}
