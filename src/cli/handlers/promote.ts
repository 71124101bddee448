import { usageError } from '../../core/errors.js';
import { preflightRefusal, promote } from '../../operations/moves/promote.js';
import { movePlanText } from '../../render/move-plan-text.js';
import type { Call, Outcome } from '../command.js';
import type { promote as declaration } from '../commands/promote.js';
import { given } from '../given.js';
import { moveOutcome } from '../move-outcome.js';

type PromoteCall = Call<typeof declaration>;

export default async function handle(call: PromoteCall): Promise<Outcome> {
  const { fleet, options, global } = call;
  const result = await promote(fleet, requestOf(call), { dryRun: options.dryRun });
  if ('already' in result)
    return { data: result, text: () => `${result.tenant} lives there already; nothing was changed` };
  if (!('plan' in result)) return moveOutcome(result, global);
  const { plan } = result;
  return { data: result, text: () => movePlanText(plan), ...given({ failure: preflightRefusal(plan) }) };
}

function requestOf({ arguments: { id }, options }: PromoteCall) {
  const { to, cluster, pool, method, grace, maxPause, wait } = options;
  if (to === undefined)
    throw usageError('PROMOTE_USAGE', 'promote needs --to.', {
      hint: `tenantctl promote ${id} --to schema; the tiers are pool, schema and database.`,
      facts: { option: '--to' },
    });
  return { id, to, method, wait, ...given({ cluster, pool, graceMs: grace, maxPauseMs: maxPause }) };
}
