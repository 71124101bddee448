import { abortRun } from '../../operations/runs/abort.js';
import { recordText } from '../../render/records.js';
import type { Call, Outcome } from '../command.js';
import type { runsAbort } from '../commands/runs.js';

export default async function handle({
  fleet,
  arguments: { run },
  options,
}: Call<typeof runsAbort>): Promise<Outcome> {
  const data = await abortRun(fleet, run, options.dryRun);
  const unchanged = options.dryRun ? '\n\nNothing was changed.' : '';
  return { data, text: () => `${recordText(data)}${unchanged}` };
}
