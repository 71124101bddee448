import { suspendTenant } from '../../operations/suspend.js';
import type { Call, Outcome } from '../command.js';
import type { suspend } from '../commands/suspend.js';
import { tenantOutcome } from '../tenant-outcome.js';

export default async function handle({
  fleet,
  arguments: { id },
  options,
}: Call<typeof suspend>): Promise<Outcome> {
  return tenantOutcome(
    await suspendTenant(fleet, id, { dryRun: options.dryRun }),
    'suspended',
    options.dryRun,
  );
}
