import { pauseRun } from '../../operations/runs/pause.js';
import { recordText } from '../../render/records.js';
import type { Call, Outcome } from '../command.js';
import type { runsPause } from '../commands/runs.js';

export default async function handle({
  fleet,
  arguments: { run },
  options,
}: Call<typeof runsPause>): Promise<Outcome> {
  const data = await pauseRun(fleet, run, options.dryRun);
  return { data, text: () => recordText(data) };
}
