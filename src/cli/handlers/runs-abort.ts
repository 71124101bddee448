import { abortRun } from '../../operations/runs/abort.js';
import { recordText, sections } from '../../render/records.js';
import { UNCHANGED } from '../../render/run-text.js';
import type { Call, Outcome } from '../command.js';
import type { runsAbort } from '../commands/runs.js';

export default async function handle({
  fleet,
  arguments: { run },
  options,
}: Call<typeof runsAbort>): Promise<Outcome> {
  const data = await abortRun(fleet, run, options.dryRun);
  return { data, text: () => sections(recordText(data), options.dryRun ? UNCHANGED : '') };
}
