import { differenceError } from '../../core/errors.js';
import { type Diagnosis, diagnose } from '../../operations/doctor/doctor.js';
import { type Rebuilt, rebuildCatalog } from '../../operations/rebuild/rebuild.js';
import { doctorText } from '../../render/doctor-text.js';
import { counted } from '../../render/line.js';
import type { Call, Outcome } from '../command.js';
import type { doctor } from '../commands/doctor.js';
import { given } from '../given.js';

export default async function handle({ fleet, options }: Call<typeof doctor>): Promise<Outcome> {
  const rebuilt: { rebuilt?: Rebuilt } = options.rebuildCatalog
    ? { rebuilt: await rebuildCatalog(fleet, options) }
    : {};
  // What a dry run would add is not there to be looked at.
  const looks = rebuilt.rebuilt === undefined || !options.dryRun;
  const data = { ...rebuilt, ...(looks ? await diagnose(fleet, options) : { findings: [], fixed: [] }) };
  return { data, text: (colors) => doctorText(data, colors), ...given({ failure: failureOf(data) }) };
}

function failureOf({ findings }: Diagnosis) {
  const errors = findings.filter(({ level }) => level === 'error');
  if (errors.length === 0) return undefined;
  const rules = [...new Set(errors.map(({ rule }) => rule))];
  return differenceError(
    'DOCTOR_FINDINGS',
    `${counted(errors.length, 'error')} found: ${rules.join(', ')}.`,
    {
      hint: 'Each finding says what to do next.',
      facts: { errors: errors.length, rules },
    },
  );
}
