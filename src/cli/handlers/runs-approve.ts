import { approveRun } from '../../operations/runs/approve.js';
import type { Call, Outcome } from '../command.js';
import type { runsApprove } from '../commands/runs.js';

export default async function handle({
  fleet,
  arguments: { run },
  options,
}: Call<typeof runsApprove>): Promise<Outcome> {
  const data = await approveRun(fleet, run, options.dryRun);
  const would = options.dryRun ? 'would be approved' : 'approved';
  return {
    data,
    text: () =>
      `${would}: run ${data.run} passes on from wave ${data.wave}; if no process waits there: tenantctl runs resume`,
  };
}
