import { usageError } from '../core/errors.js';
import { FAULT_POINTS, type FaultPoint, type Reach } from '../core/faults.js';
import type { Io } from './io.js';

/**
 * What `--fail-at` asks for: the process kills itself at that step, without any cleaning up.
 * @throws usage error (exit 2) unless TENANTCTL_REHEARSAL=1 and the step exists
 */
export function rehearse(point: string | undefined, env: Io['env']): Reach {
  if (point === undefined) return () => undefined;
  if (env['TENANTCTL_REHEARSAL'] !== '1') throw notRehearsing();
  if (!Object.hasOwn(FAULT_POINTS, point)) throw unknownPoint(point);
  return (reached: FaultPoint) => {
    if (reached === point) process.kill(process.pid, 'SIGKILL');
  };
}

function notRehearsing() {
  return usageError(
    'FAIL_AT_REFUSED',
    '--fail-at kills tenantctl in the middle of its work; it is for rehearsals only.',
    {
      hint: 'Set TENANTCTL_REHEARSAL=1 if this fleet may be rehearsed on.',
      facts: { option: '--fail-at' },
    },
  );
}

function unknownPoint(point: string) {
  return usageError('FAIL_AT_UNKNOWN', `--fail-at: there is no step ${JSON.stringify(point)}.`, {
    hint: 'tenantctl dev fault-points lists them.',
    facts: { option: '--fail-at' },
  });
}
