import { partialError } from '../../core/errors.js';
import type { RetentionResult } from '../../operations/retention/result.js';
import { planRetention, runRetention } from '../../operations/retention/run.js';
import { counted } from '../../core/counted.js';
import { deletionsText, duePlanText } from '../../render/offboard-text.js';
import type { Call, Outcome } from '../command.js';
import type { retentionRun as declaration } from '../commands/retention.js';
import { given } from '../given.js';

export default async function handle(call: Call<typeof declaration>): Promise<Outcome> {
  const { fleet, options } = call;
  const { max, maxTime, maxRows } = options;
  const request = { ids: call.arguments.id, ...given({ max, maxMs: maxTime, maxRows }) };
  if (options.dryRun) {
    const data = await planRetention(fleet, request);
    return { data, text: () => duePlanText(data) };
  }
  const data = await runRetention(fleet, request);
  return { data, text: (colors) => deletionsText(data, colors), ...given({ failure: failureOf(data) }) };
}

/** A hold is no failure: it is what was wanted. */
function failureOf({ failed, left, skipped }: RetentionResult) {
  const locked = skipped.filter(({ code }) => code !== 'TENANT_ON_HOLD');
  const undone = [...failed, ...locked].map(({ tenant }) => tenant).concat(left);
  if (undone.length === 0) return undefined;
  return partialError(
    'RETENTION_PARTIAL',
    `Not every tenant that is due is deleted: ${counted(undone.length, 'tenant')} left.`,
    {
      hint: 'Each names its reason; the same command goes on where this one stopped.',
      facts: { tenants: undone },
    },
  );
}
