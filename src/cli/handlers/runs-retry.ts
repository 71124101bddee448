import { retryRun } from '../../operations/runs/retry.js';
import type { Call, Outcome } from '../command.js';
import type { runsRetry } from '../commands/runs.js';
import { resumedRun } from '../resumed-run.js';

export default function handle(call: Call<typeof runsRetry>): Promise<Outcome> {
  return resumedRun(call, retryRun, true);
}
