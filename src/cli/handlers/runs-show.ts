import { showRun } from '../../operations/runs/show.js';
import { runReportText } from '../../render/run-text.js';
import type { Call, Outcome } from '../command.js';
import type { runsShow } from '../commands/runs.js';

export default async function handle({ fleet, arguments: { run } }: Call<typeof runsShow>): Promise<Outcome> {
  const data = await showRun(fleet, run);
  return { data, text: (colors) => runReportText(data, colors) };
}
