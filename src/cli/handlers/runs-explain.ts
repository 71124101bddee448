import { explainRun } from '../../operations/runs/explain.js';
import { explanationText } from '../../render/explanation-text.js';
import type { Call, Outcome } from '../command.js';
import type { runsExplain } from '../commands/runs.js';

export default async function handle({
  fleet,
  arguments: { run },
  options,
}: Call<typeof runsExplain>): Promise<Outcome> {
  const data = await explainRun(fleet, run, options.unit);
  return { data, text: () => explanationText(data) };
}
