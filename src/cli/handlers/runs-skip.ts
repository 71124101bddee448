import { skipUnit } from '../../operations/runs/skip.js';
import { recordText } from '../../render/records.js';
import type { Call, Outcome } from '../command.js';
import type { runsSkip } from '../commands/runs.js';

export default async function handle({
  fleet,
  arguments: { unit, run },
  options,
}: Call<typeof runsSkip>): Promise<Outcome> {
  const data = await skipUnit(fleet, unit, run, options.dryRun);
  return { data, text: () => recordText(data) };
}
