import { conflictError } from '../../core/errors.js';
import type { RunPolicy } from '../../core/run-policy.js';
import { waveNames } from '../../engine/waves/plan.js';

/**
 * The last wave of a run that is told to stop after `name`: that one, or the one before it where no unit of it is behind.
 * Null where none comes before it either: there is nothing to do.
 * @param waves of the run, in their order
 * @throws conflict `WAVE_UNKNOWN` (exit 5) for a name that neither the run nor its policy has
 */
export function stopAfter(
  waves: readonly { name: string }[],
  policy: Pick<RunPolicy, 'waves'>,
  name: string,
): string | null {
  if (waves.some((wave) => wave.name === name)) return name;
  const names = waveNames(policy);
  const at = names.indexOf(name);
  if (at === -1) {
    throw conflictError('WAVE_UNKNOWN', `This run has no wave ${name}.`, {
      hint: `Its waves are: ${names.join(', ')}.`,
    });
  }
  const before = new Set(names.slice(0, at));
  return waves.findLast((wave) => before.has(wave.name))?.name ?? null;
}
