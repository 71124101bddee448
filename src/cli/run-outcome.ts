import type { RunPlan, RunReport } from '../core/report.js';
import { runPlanText, runReportText } from '../render/run-text.js';
import type { Outcome } from './command.js';
import { given } from './given.js';
import { runFailure } from './run-failure.js';

/** What a verb that drives runs gives back. */
export function runOutcome(result: RunReport | { plan: RunPlan }): Outcome {
  if ('plan' in result) return { data: result, text: () => runPlanText(result.plan) };
  return {
    data: result,
    text: (colors) => runReportText(result, colors),
    ...given({ failure: runFailure(result) }),
  };
}
