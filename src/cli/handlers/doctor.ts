import { EXIT, TenantctlError } from '../../core/errors.js';
import { type Diagnosis, diagnose } from '../../operations/doctor/doctor.js';
import { type Rebuilt, rebuildCatalog } from '../../operations/rebuild/rebuild.js';
import { doctorText } from '../../render/doctor-text.js';
import { counted } from '../../core/counted.js';
import type { Call, Outcome } from '../command.js';
import type { doctor } from '../commands/doctor.js';
import { findingsFailure } from '../findings-failure.js';
import { given } from '../given.js';
import { LOOK_STOPPED } from '../interruption.js';
import { untilStopped } from '../until-stopped.js';

export default async function handle(call: Call<typeof doctor>): Promise<Outcome> {
  const { fleet, options, signal } = call;
  const rebuilt: { rebuilt?: Rebuilt } = options.rebuildCatalog
    ? { rebuilt: await rebuildCatalog(fleet, options) }
    : {};
  // What a dry run would add is not there to be looked at.
  const looks = rebuilt.rebuilt === undefined || !options.dryRun;
  if (!looks) return outcomeOf({ ...rebuilt, findings: [], fixed: [] }, options);
  const { value, failure } = options.fix
    ? { value: await diagnose(fleet, options) }
    : await untilStopped(signal, (tally) => diagnose(fleet, options, tally));
  if (value === undefined) return { data: { ...rebuilt, findings: [], fixed: [] }, text: () => '', failure };
  return outcomeOf({ ...rebuilt, ...value }, options);
}

function outcomeOf(data: Diagnosis & { rebuilt?: Rebuilt }, { fix }: { fix: boolean }): Outcome {
  const failure = data.left === undefined ? findingsFailure(data.findings, 'doctor') : notAllMended(data);
  return { data, text: (colors) => doctorText({ ...data, fix }, colors), ...given({ failure }) };
}

function notAllMended({ left = 0, fixed }: Diagnosis) {
  const message = `${counted(fixed.length, 'finding')} mended, ${left} left to mend.`;
  return new TenantctlError(LOOK_STOPPED, EXIT.interrupted, message, { facts: { left } });
}
