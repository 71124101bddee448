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
  const places = await collect(job, table);
  const purged: PurgedTable = {
    table: table.name,
    rows: 0,
    batches: 0,
    firstTxid: null,
    lastTxid: null,
    lsn: null,
  };
  for (let left = true; left;) {
    job.breathe();
    left = await purgeBatch(job, table, purged).catch((error: unknown) => {
      throw asTableFailure(job, table, error);
    });
  }
  if (purged.rows > 0 || pass === 1) await job.onTable(purged);
  job.reach('retention.table-emptied');
  return { places, rows: purged.rows };
}

/**
 * Notes where the tenant's rows stand, in the order in which they stand there: they are looked for once and not once a
 * batch, among ever more that are dead, and each page is written once. Nobody else writes them, for the home is shut.
 * @returns how many there are
 */
async function collect({ session, side }: PurgeJob, table: ScopedTable): Promise<number> {
  const [, created] = await session.message(
    [
      'drop table if exists pg_temp.tenantctl_doomed',
      sql`create temp table tenantctl_doomed as
        select row_number() over (order by x.tableoid, x.ctid) as n, x.tableoid as part, x.ctid as place
          from ${tableOf(side, table.name)} x where ${scopedRows(side, table, 'x')}`.text(),
      'create index on tenantctl_doomed (n)',
      'analyze tenantctl_doomed',
    ].join('; '),
  );
  return created?.rowCount ?? 0;
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

/** @returns whether there may be more */
async function purgeBatch(job: PurgeJob, table: ScopedTable, purged: PurgedTable): Promise<boolean> {
  const { session, tempo } = job;
  const next = await session.row<{ first: string; last: string; parts: string[] }>(sql`
    select min(n)::text as first, max(n)::text as last, array_agg(distinct part::regclass::text) as parts
      from (select n, part from pg_temp.tenantctl_doomed order by n limit ${raw(String(tempo.batch))}) batch having count(*) > 0`);
  if (next === undefined) return false;
  const { rows, txid, lsn, walBytes, ms } = await deleteRows(job, table, next);
  purged.rows += rows;
  purged.batches += 1;
  purged.firstTxid ??= txid;
  purged.lastTxid = txid;
  purged.lsn = lsn;
  job.onBatch(rows);
  job.reach('retention.batch-deleted');
  await pause(tempo.after({ ms, walBytes }));
  return true;
}

interface Range {
  first: string;
  last: string;
  parts: string[];
}

/** The condition is asked again: a place that was freed by somebody may hold another tenant's row by now. */
async function deleteRows(job: PurgeJob, table: ScopedTable, range: Range) {
  const { session, side } = job;
  const within = sql`n between ${raw(range.first)} and ${raw(range.last)}`;
  const deletions = range.parts.map(
    (part) => sql`delete from ${raw(part)} x where x.ctid = any (array(
      select place from pg_temp.tenantctl_doomed where ${within} and part = ${part}::regclass)) and ${scopedRows(side, table, 'x')}`,
  );
  const results = await inOrAll(job, table, (statements) =>
    session.atomically([
      permitPurge(side.home, job.dueAt),
      sql`select set_config('tenantctl.wal', pg_current_wal_insert_lsn()::text, true)`,
      ...statements,
      sql`delete from pg_temp.tenantctl_doomed where ${within}`,
      sql`select pg_current_xact_id()::text as txid, pg_current_wal_insert_lsn()::text as lsn,
        (pg_current_wal_insert_lsn() - current_setting('tenantctl.wal')::pg_lsn)::float8 as "walBytes",
        extract(epoch from clock_timestamp() - now())::float8 * 1000 as ms`,
    ]),
  )(deletions);
  const [last] = results.at(-1)?.rows ?? [];
  const rows = results.slice(2, -2).reduce((sum, { rowCount }) => sum + rowCount, 0);
  return { rows, ...(last as { txid: string; lsn: string; walBytes: number; ms: number }) };
}

/**
 * Rows that refer to each other cannot go in any order of batches: then all of their tables are emptied of the tenant in
 * one statement, at the end of which none is left to refer to another, or to be changed because another one has gone.
 */
function inOrAll<T>(job: PurgeJob, table: ScopedTable, run: (statements: Sql[]) => Promise<T>) {
  return async (batch: Sql[]): Promise<T> => {
    try {
      return await run(batch);
    } catch (error) {
      if (!violatesIntegrity(error)) throw error;
      const { side, tables, foreignKeys } = job;
      const allOf = (one: ScopedTable): Sql =>
        sql`delete from ${tableOf(side, one.name)} x where ${scopedRows(side, one, 'x')}`;
      return run([wholeCircle(table, tables, foreignKeys, allOf)]);
    }
  };
}
