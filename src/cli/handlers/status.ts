import { EXIT, TenantctlError } from '../../core/errors.js';
import { fleetStatus } from '../../operations/status.js';
import { fleetStatusText } from '../../render/fleet-text.js';
import type { Call, Outcome } from '../command.js';
import type { status } from '../commands/status.js';
import { given } from '../given.js';

export default async function handle({ fleet, options }: Call<typeof status>): Promise<Outcome> {
  const data = await fleetStatus(fleet, given({ require: options.require }));
  const text: Outcome['text'] = (colors) => fleetStatusText(data, colors);
  if (!options.exitCode || data.behind.length === 0) return { data, text };
  return { data, text, failure: behindFailure(data.target) };
}

/** Without a number: only the first of many are named in `behind`. */
function behindFailure(target: string | null): TenantctlError {
  return new TenantctlError('BEHIND', EXIT.pending, `Not every unit has ${target}.`, {
    hint: '`tenantctl migrate` brings them up to date; one of the contract phase that is required waits for its --contract.',
    facts: { target },
  });
}
