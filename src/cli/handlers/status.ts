import { EXIT, TenantctlError } from '../../core/errors.js';
import { fleetStatus } from '../../operations/status.js';
import { fleetStatusText } from '../../render/fleet-text.js';
import { counted } from '../../render/line.js';
import type { Call, Outcome } from '../command.js';
import type { status } from '../commands/status.js';
import { given } from '../given.js';

export default async function handle({ fleet, options }: Call<typeof status>): Promise<Outcome> {
  const data = await fleetStatus(fleet, given({ require: options.require }));
  const text: Outcome['text'] = (colors) => fleetStatusText(data, colors);
  const pending = data.behind.length;
  if (!options.exitCode || pending === 0) return { data, text };
  return { data, text, failure: behindFailure(pending) };
}

function behindFailure(behind: number): TenantctlError {
  return new TenantctlError('BEHIND', EXIT.pending, `${counted(behind, 'unit')} behind.`, {
    hint: 'tenantctl migrate brings them up to date.',
    facts: { behind },
  });
}
