import { parseSelectors } from '../../core/selector.js';
import { migrate } from '../../operations/migrate.js';
import { runPlanText, runReportText } from '../../render/run-text.js';
import type { Call, Outcome } from '../command.js';
import type { migrate as declaration } from '../commands/migrate.js';
import { given } from '../given.js';
import { runFailure } from '../run-failure.js';

export default async function handle({ fleet, options }: Call<typeof declaration>): Promise<Outcome> {
  const { to, concurrency, allowEmpty, dryRun } = options;
  const select = parseSelectors(options.select);
  const result = await migrate(fleet, { select, allowEmpty, dryRun, ...given({ to, concurrency }) });
  if ('plan' in result) return { data: result, text: () => runPlanText(result.plan) };
  return {
    data: result,
    text: (colors) => runReportText(result, colors),
    ...given({ failure: runFailure(result) }),
  };
}
