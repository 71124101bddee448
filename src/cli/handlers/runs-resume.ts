import { resumeRun } from '../../operations/runs/resume.js';
import type { Call, Outcome } from '../command.js';
import type { runsResume } from '../commands/runs.js';
import { runOutcome } from '../run-outcome.js';

export default async function handle({
  fleet,
  arguments: { run },
  options: { wait, dryRun },
}: Call<typeof runsResume>): Promise<Outcome> {
  return runOutcome(await resumeRun(fleet, run, { wait, dryRun }));
}
