import { retryRun } from '../../operations/runs/retry.js';
import type { Call, Outcome } from '../command.js';
import type { runsRetry } from '../commands/runs.js';
import { resumedText } from '../../render/run-text.js';
import { drivenRun } from '../run-outputs.js';

export default async function handle(call: Call<typeof runsRetry>): Promise<Outcome> {
  const { fleet, options } = call;
  const { wait, dryRun } = options;
  if (dryRun) {
    const data = await retryRun(fleet, call.arguments.run, { wait, dryRun });
    return { data, text: () => resumedText(data, true) };
  }
  return drivenRun(call, options.junit, () => retryRun(fleet, call.arguments.run, { wait, dryRun }));
}
