import { EXIT, TenantctlError } from '../core/errors.js';
import type { Fleet } from '../engine/context.js';

/** Whether somebody wants this look over the fleet to end: what fails from then on has not failed by itself. */
export function isStopping({ signal, cancelled }: Fleet): boolean {
  return signal.aborted || cancelled;
}

/** @throws `LOOK_STOPPED` (exit 130) once somebody wants this look over the fleet to end */
export function stopIfAsked(fleet: Fleet): void {
  if (!isStopping(fleet)) return;
  throw new TenantctlError('LOOK_STOPPED', EXIT.interrupted, 'Ended before everything was looked at.', {
    hint: 'The same command looks at everything from the beginning; nothing has changed.',
  });
}
