import { retryRun } from '../../operations/runs/retry.js';
import type { Call, Outcome } from '../command.js';
import type { runsRetry } from '../commands/runs.js';
import { runOutcome } from '../run-outcome.js';

export default async function handle({
  fleet,
  arguments: { run },
  options: { wait, dryRun },
}: Call<typeof runsRetry>): Promise<Outcome> {
  return runOutcome(await retryRun(fleet, run, { wait, dryRun }));
}
