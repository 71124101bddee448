import { pause } from '../../core/pause.js';
import { readRunUnits } from '../../engine/catalog/run-units.js';
import type { StoredRun } from '../../engine/catalog/runs.js';
import { type UnitRecord, listUnits } from '../../engine/catalog/units.js';
import type { Fleet } from '../../engine/context.js';
import { LOOK_EVERY_MS, noticesOfLong, waitsForMoves } from '../../engine/waves/held.js';
import type { HeldUnit } from '../../engine/waves/job.js';
import { isMoving } from '../../engine/waves/wishes.js';
import type { PreparedRun } from './prepared.js';

/** The units that a run has left out because moves held them, and that are still held. */
export async function findHeld(fleet: Fleet, run: StoredRun): Promise<HeldUnit[]> {
  return fleet.catalog(async (connection) => {
    const units = await readRunUnits(connection, run.id);
    const left = new Set(
      units.flatMap(({ unit, status, reason }) => (status === 'skipped' && isMoving(reason) ? [unit] : [])),
    );
    if (left.size === 0) return [];
    return heldOf((await listUnits(connection, run.selection)).filter(({ id }) => left.has(id)));
  });
}

/**
 * Prepares a run; told to wait, again and again while the only units that have something to do are held by moves.
 * @throws the reason of the interruption, when it comes meanwhile
 */
export async function onceFree(
  fleet: Fleet,
  wait: boolean,
  prepare: () => Promise<PreparedRun>,
): Promise<PreparedRun> {
  let prepared = await prepare();
  const told = new Set<string>();
  for (let waits = false; prepared.waves.length === 0; waits = true) {
    const held = heldIn(prepared);
    for (const notice of noticesOfLong(held, told)) fleet.emit(notice);
    if (held.length === 0 || !wait) break;
    if (!waits) fleet.emit(waitsForMoves(held));
    await pause(LOOK_EVERY_MS, fleet.signal);
    fleet.signal.throwIfAborted();
    prepared = await prepare();
  }
  return prepared;
}

function heldIn({ surveyed }: PreparedRun): HeldUnit[] {
  return heldOf(surveyed.filter(({ skip }) => isMoving(skip)).map(({ unit }) => unit));
}

function heldOf(units: readonly UnitRecord[]): HeldUnit[] {
  return units.flatMap(({ id, moving, heldMs }) =>
    moving === null ? [] : [{ unit: id, by: moving, ms: heldMs }],
  );
}
