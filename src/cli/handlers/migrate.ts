import { parseSelectors } from '../../core/selector.js';
import { migrate } from '../../operations/migrate.js';
import { planMigration } from '../../operations/plan.js';
import { runPlanText } from '../../render/run-text.js';
import type { Call, Outcome } from '../command.js';
import type { migrate as declaration } from '../commands/migrate.js';
import { given } from '../given.js';
import { readPlan, writePlan } from '../plan-file.js';
import { drivenRun } from '../run-outputs.js';

type MigrateCall = Call<typeof declaration>;

export default async function handle(call: MigrateCall): Promise<Outcome> {
  const { fleet, options, io } = call;
  const request = requestOf(call);
  const { planOut, planFile, junit } = options;
  if (planFile !== undefined) {
    const plan = await readPlan(io, planFile, options);
    return drivenRun(call, junit, () => migrate(fleet, { ...request, plan }));
  }
  if (planOut === undefined) return drivenRun(call, junit, () => migrate(fleet, request));
  const { plan, document } = await planMigration(fleet, request);
  const written = await writePlan(io, planOut, document);
  return { data: { plan, file: written }, text: () => `${runPlanText(plan)}\nThe plan is in ${written}.` };
}

function requestOf({ options }: MigrateCall) {
  const {
    to,
    concurrency,
    onFailure,
    wave,
    contract,
    allowDataLoss,
    allowOpening,
    wait,
    allowEmpty,
    dryRun,
  } = options;
  return {
    select: parseSelectors(options.select),
    contract,
    allowDataLoss,
    allowOpening,
    wait,
    allowEmpty,
    dryRun,
    ...given({ to, concurrency, onFailure, wave }),
  };
}
