import type { FleetEvent } from '../../core/events.js';
import { formatDuration } from '../../core/duration.js';
import { pause } from '../../core/pause.js';
import type { Drive } from './drive.js';
import type { HeldUnit } from './job.js';
import { patiently } from './journal.js';

/** Units that come up, or become free, while a run goes on are a wave of their own of this name. */
export const LATE_WAVE = 'late';

/** How often whoever waits for a move looks whether it still holds. */
export const LOOK_EVERY_MS = 2_000;
/** A move that holds a unit for so long is worth a look. */
const LONG_MS = 600_000;

/**
 * Told to wait, waits until one of the units that moves hold is free, or the drive is to stop.
 * @returns whether it has waited
 */
export async function awaitMoves({ fleet, job, signal }: Drive): Promise<boolean> {
  const told = new Set<string>();
  const look = async (): Promise<HeldUnit[]> => {
    const held = await patiently(() => job.help.held());
    for (const notice of noticesOfLong(held, told)) fleet.emit(notice, job.run.id);
    return held;
  };
  const held = await look();
  if (held.length === 0 || !job.wait || signal.aborted) return false;
  fleet.emit(waitsForMoves(held), job.run.id);
  do await pause(LOOK_EVERY_MS, signal);
  while (!signal.aborted && stillHeld(held, await look()));
  if (!signal.aborted) fleet.emit({ type: 'wave.resumed', wave: LATE_WAVE }, job.run.id);
  return true;
}

/** Are all of them held as before? */
function stillHeld(before: readonly HeldUnit[], now: readonly HeldUnit[]): boolean {
  const units = new Set(now.map(({ unit }) => unit));
  return before.every(({ unit }) => units.has(unit));
}

/** What is said while there is nothing else to do. */
export function waitsForMoves(held: readonly HeldUnit[]): FleetEvent {
  const [first] = held;
  const more = held.length > 1 ? `, and ${held.length - 1} more units` : '';
  const reason = `${first?.unit} (${first?.by})${more}`;
  return { type: 'wave.waiting', wave: LATE_WAVE, for: 'move', until: null, reason };
}

/**
 * Warnings about units that have been held for long.
 * @param told units that were warned of before; those that are warned of now are added
 */
export function noticesOfLong(held: readonly HeldUnit[], told = new Set<string>()): FleetEvent[] {
  const long = held.filter(({ unit, ms }) => ms > LONG_MS && !told.has(unit));
  return long.map(({ unit, by, ms }) => {
    told.add(unit);
    return {
      type: 'notice',
      level: 'warning',
      code: 'UNIT_HELD_LONG',
      message: `${unit} has been held for ${formatDuration(ms)} and is not migrated meanwhile: ${by}. \`tenantctl moves list\` says how that move stands.`,
    };
  });
}
