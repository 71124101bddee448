import { resumeRun } from '../../operations/runs/resume.js';
import type { Call, Outcome } from '../command.js';
import type { runsResume } from '../commands/runs.js';
import { resumedRun } from '../resumed-run.js';

export default function handle(call: Call<typeof runsResume>): Promise<Outcome> {
  return resumedRun(call, resumeRun, false);
}
