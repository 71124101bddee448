import type { RunReport } from '../core/report.js';
import type { Fleet } from '../engine/context.js';
import { resumedText } from '../render/run-text.js';
import type { Call, Outcome } from './command.js';
import type { runsResume, runsRetry } from './commands/runs.js';
import { drivenRun } from './run-outputs.js';

type Operation = (
  fleet: Fleet,
  run: string | undefined,
  how: { wait: boolean; dryRun: boolean },
) => Promise<RunReport>;

/**
 * Goes on with a stored run, or says what that would do.
 * @param again does it try failed units again?
 */
export async function resumedRun(
  call: Call<typeof runsResume> | Call<typeof runsRetry>,
  operation: Operation,
  again: boolean,
): Promise<Outcome> {
  const { fleet, options } = call;
  const { wait, dryRun, junit } = options;
  const drive = () => operation(fleet, call.arguments.run, { wait, dryRun });
  if (!dryRun) return drivenRun(call, junit, drive);
  const data = await drive();
  return { data, text: () => resumedText(data, again) };
}
