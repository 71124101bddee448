import { sql } from '../../pg/sql.js';
import { placementOf } from '../../engine/local/placements.js';
import { forgetDirty, removeGuards } from '../../engine/moves/guards.js';
import { purgeRows } from '../../engine/moves/purge.js';
import { inSide } from '../../engine/rows/side.js';
import { stagesOf } from '../../engine/moves/stages.js';
import { homeOpen } from '../../engine/moves/while-shut.js';
import type { Connection } from '../../pg/connection.js';
import { assertGoingOn } from './interruption.js';
import type { Drive, End } from './drive.js';
import { betweenMigrations } from './prepare.js';
import { movedTables, receiverOf } from './stream.js';

/** Takes everything off a home that a move has put there. Again: no change. */
export async function removeHelpers({ fleet, id }: Drive, end: End): Promise<void> {
  await inSide(fleet, end.side, id, async (session) => {
    await removeGuards(session, end.side, id);
    await session.atomically([
      forgetDirty(end.side, id),
      sql`delete from tenantctl.set_aside where move = ${id} and side = ${end.side.name}`,
      sql`delete from tenantctl.move where move = ${id} and side = ${end.side.name}`,
    ]);
  });
}

/**
 * Deletes the copy that a home still holds of a tenant that lives elsewhere, and everything of the move there. In a
 * pool in small batches, so that its tenants do not wait; the gate stays until the last row is gone, so that nobody
 * writes behind the deletion.
 * @returns the rows that were deleted by table, where they were deleted one by one
 * @throws conflict `HOME_OPEN` (exit 5) where the tenant lives
 */
export async function removeCopy(drive: Drive, end: End, other: End): Promise<Record<string, number>> {
  const { fleet } = drive;
  const found = await end.driver.inspect(fleet, end.home);
  if (found.state !== 'present') return {};
  if (found.admission !== 'making' && found.admission !== 'moved') throw homeOpen(end.home);
  await begin(drive, end);
  const deleted = end.side.shared ? await emptyPool(drive, end, other) : {};
  fleet.reach('move.old-emptied');
  await removeHelpers(drive, end);
  await end.driver.drop(fleet, end.home);
  return deleted;
}

/** From here on the copy is no way back any more. A home of the tenant's own is not migrated either; a pool may be. */
function begin(drive: Drive, end: End): Promise<void> {
  const going = async (session: Connection): Promise<void> => {
    const status = end.side.shared ? 'offboarding' : 'moving';
    await session.execute(
      sql`update tenantctl.placement set status = ${status} where ${placementOf(end.home)} and status <> 'moving'`,
    );
  };
  const { cluster, database } = end.home.placement;
  return end.side.shared
    ? drive.fleet.managed(cluster, database, going)
    : betweenMigrations(drive, end, going);
}

async function emptyPool(drive: Drive, end: End, other: End): Promise<Record<string, number>> {
  const { fleet, id } = drive;
  return inSide(fleet, end.side, id, async (session) => {
    const tables = await movedTables(drive, end, other, session);
    const pool = receiverOf(end.side, stagesOf(tables, tables), id);
    await pool.makeReady(session);
    const deleted = await purgeRows(session, end.side, tables, () => assertGoingOn(fleet));
    await pool.conclude(session);
    return deleted;
  });
}
