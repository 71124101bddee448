import { partialError } from '../../core/errors.js';
import type { Fleet } from '../../engine/context.js';

/** @throws partial error `MOVE_INTERRUPTED` (exit 7) once the command was asked to end: the move can be resumed */
export function assertGoingOn(fleet: Fleet): void {
  if (!fleet.signal.aborted) return;
  throw partialError('MOVE_INTERRUPTED', 'The move was interrupted; the tenant goes on where it is.', {
    hint: '`tenantctl moves resume` goes on with it, `tenantctl moves abort` takes it back.',
  });
}
