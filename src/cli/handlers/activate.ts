import { activateTenant } from '../../operations/activate.js';
import type { Call, Outcome } from '../command.js';
import type { activate } from '../commands/activate.js';
import { tenantOutcome } from '../tenant-outcome.js';

export default async function handle({
  fleet,
  arguments: { id },
  options,
}: Call<typeof activate>): Promise<Outcome> {
  return tenantOutcome(
    await activateTenant(fleet, id, { dryRun: options.dryRun }),
    'activated',
    options.dryRun,
  );
}
