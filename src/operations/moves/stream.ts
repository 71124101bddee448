import { assertAlike, tablesSignature } from '../../engine/moves/alike.js';
import { assertGuarded } from '../../engine/moves/guards.js';
import type { Stream } from '../../engine/moves/sync.js';
import { inSide, onBothSides } from '../../engine/rows/side.js';
import { type Stage, prepareStaged, prepareTouched, stagesOf } from '../../engine/moves/stages.js';
import { type TenantTable, readTables } from '../../engine/rows/tables.js';
import { livePool } from '../../engine/moves/live-pool.js';
import { ownHome } from '../../engine/moves/own-home.js';
import type { Receiver } from '../../engine/moves/receiver.js';
import type { Side } from '../../engine/rows/side.js';
import type { Connection } from '../../pg/connection.js';
import type { Drive, End } from './drive.js';

/** Opens a session in either home, and what carries rows from the one to the other. */
export async function withStream<T>(
  drive: Drive,
  from: End,
  to: End,
  work: (stream: Stream) => Promise<T>,
): Promise<T> {
  const { fleet, id } = drive;
  return inSide(fleet, from.side, id, (source) =>
    inSide(fleet, to.side, id, async (target) => {
      const [tables, twins] = await alikeTables(drive, from, to, source, target);
      const stages = stagesOf(tables, twins);
      await onBothSides(source, target, [
        () => prepareTouched(source, from.side, stages),
        () => prepareStaged(target, to.side, stages),
      ]);
      return work({
        move: id,
        from: { side: from.side, session: source },
        to: { side: to.side, session: target, receiver: receiverOf(to.side, stages, id) },
        stages,
        signature: await tablesSignature(source, from.side),
        reach: fleet.reach,
      });
    }),
  );
}

/**
 * Nothing is carried from a home whose writes are not followed.
 * @throws conflict `GUARDS_MISSING` (exit 5)
 */
export function assertFollowed({ move, from, stages }: Stream): Promise<void> {
  return assertGuarded(
    from.session,
    from.side,
    move,
    stages.map(({ source }) => source),
  );
}

/**
 * The moved tables of both homes.
 * @throws refusal `HOMES_DIFFER` (exit 6)
 */
export async function alikeTables(
  drive: Drive,
  one: End,
  other: End,
  here: Connection,
  there: Connection,
): Promise<[TenantTable[], TenantTable[]]> {
  const [tables, twins] = await onBothSides(here, there, [
    () => movedTables(drive, one, other, here),
    () => movedTables(drive, other, one, there),
  ]);
  assertAlike(tables, twins);
  return [tables, twins];
}

/** The tables of one home whose rows are the tenant's: where either home is shared, those with the tenant column. */
export function movedTables(drive: Drive, one: End, other: End, session: Connection): Promise<TenantTable[]> {
  const { column } = drive.fleet.settings.tenancy;
  return readTables(session, one.side, column, one.side.shared || other.side.shared);
}

/** How a home takes rows in. */
export function receiverOf(side: Side, stages: readonly Stage[], move: string): Receiver {
  return side.shared ? livePool(side, stages, move) : ownHome(side, stages, move);
}
