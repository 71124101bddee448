import { conflictError } from '../../core/errors.js';
import type { Fleet } from '../../engine/context.js';
import type { Connection } from '../../pg/connection.js';
import { isHeld, tryWithLock } from '../../pg/locks.js';

/** Whether a process drives a run now. */
export function isDriven(connection: Connection): Promise<boolean> {
  return isHeld(connection, 'cluster', 'run');
}

/**
 * Drives runs one at a time: the lock dies with the process, so a killed one is in nobody's way. Should the
 * catalog go away meanwhile, the units' own locks still keep two drivers apart.
 * @throws conflict `RUN_IN_PROGRESS` (exit 5) when another process drives a run of this fleet
 */
export async function withRunLock<T>(fleet: Fleet, work: (connection: Connection) => Promise<T>): Promise<T> {
  return fleet.catalogHeld(async (connection) => {
    const done = await tryWithLock(connection, 'cluster', 'run', () => work(connection));
    if (done !== undefined) return done.value;
    throw conflictError('RUN_IN_PROGRESS', 'Another process drives a run on this fleet.', {
      hint: '`tenantctl runs watch` follows it; `tenantctl runs pause` lets it drain.',
    });
  });
}
