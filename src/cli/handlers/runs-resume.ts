import { resumeRun } from '../../operations/runs/resume.js';
import type { Call, Outcome } from '../command.js';
import type { runsResume } from '../commands/runs.js';
import { resumedText } from '../../render/run-text.js';
import { drivenRun } from '../run-outputs.js';

export default async function handle(call: Call<typeof runsResume>): Promise<Outcome> {
  const { fleet, options } = call;
  const { wait, dryRun } = options;
  if (dryRun) {
    const data = await resumeRun(fleet, call.arguments.run, { wait, dryRun });
    return { data, text: () => resumedText(data, false) };
  }
  return drivenRun(call, options.junit, () => resumeRun(fleet, call.arguments.run, { wait, dryRun }));
}
