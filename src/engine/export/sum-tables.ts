import type { Connection } from '../../pg/connection.js';
import { sqlstateOf } from '../../pg/errors.js';
import { literal, sql } from '../../pg/sql.js';
import type { Fleet } from '../context.js';
import { inSide } from '../rows/side.js';
import { type TableSum, rowHash } from '../rows/sums.js';
import type { PlannedTable } from './plan.js';
import type { Snapshot } from './snapshot.js';

/** Sessions of one home that an export holds: the second one sums up what the first one copies. */
const SESSIONS = 2;
const PATIENCE = '1s';
const LOCKED = '55P03';

/** Does the budget of connections hold a second session? Otherwise the first one does both, one after the other. */
export function sumsAside(fleet: Fleet, { side }: Pick<Snapshot, 'side'>): boolean {
  const { maxConnections, maxPerDatabase } = fleet.cluster(side.home.placement.cluster);
  return Math.min(maxConnections, maxPerDatabase) >= SESSIONS;
}

/** Adds rows and hash of the columns in the files, table after table. */
async function addSums(
  session: Connection,
  tables: readonly PlannedTable[],
  signal: AbortSignal,
  sums: TableSum[],
): Promise<void> {
  for (const table of tables) {
    signal.throwIfAborted();
    const row = await session.row<TableSum>(sql`
      select ${table.name}::text as table, count(*)::float8 as rows,
          coalesce(sum(${rowHash(table, 'x')}), 0)::text as hash
        from ${table.rows}`);
    sums.push(row as TableSum);
  }
}

/** Rows and hash of the columns in the files, by table, in this session. */
export async function sumTables(
  session: Connection,
  tables: readonly PlannedTable[],
  signal: AbortSignal,
): Promise<TableSum[]> {
  const sums: TableSum[] = [];
  await addSums(session, tables, signal, sums);
  return sums;
}

/**
 * The same in a session of its own, at the same moment; it ends with an error when `signal` says so. Whoever waits to change
 * a table waits for the first session, and makes this one wait as well: so as not to wait in a circle, it gives up soon.
 * @returns the sums of the tables that it has come to
 */
export function sumAside(
  fleet: Fleet,
  { side, id }: Snapshot,
  tables: readonly PlannedTable[],
  signal: AbortSignal,
): Promise<TableSum[]> {
  const begin = `begin isolation level repeatable read read only; set transaction snapshot ${literal(id)}`;
  return inSide(fleet, side, 'export', async (session) => {
    await session.message(
      `set enable_hashjoin = on; set enable_mergejoin = on; set lock_timeout = '${PATIENCE}'`,
    );
    // Without it the server would go on for a reader who has left. Not every platform can do that.
    await session.message(`set client_connection_check_interval = '1s'`).catch(() => undefined);
    const leave = (): void => void session.close();
    signal.addEventListener('abort', leave, { once: true });
    const sums: TableSum[] = [];
    try {
      await session.transaction(() => addSums(session, tables, signal, sums), begin);
    } catch (error) {
      if (sqlstateOf(error) !== LOCKED) throw error;
    } finally {
      signal.removeEventListener('abort', leave);
    }
    return sums;
  });
}
