import { usageError } from '../../core/errors.js';
import { cancelOffboarding } from '../../operations/offboard/cancel.js';
import { offboardTenant } from '../../operations/offboard/offboard.js';
import { offboardedText, planText } from '../../render/offboard-text.js';
import type { Call, Outcome } from '../command.js';
import type { offboard as declaration } from '../commands/offboard.js';
import { given } from '../given.js';

type OffboardCall = Call<typeof declaration>;

export default async function handle(call: OffboardCall): Promise<Outcome> {
  const { fleet, options } = call;
  const { id } = call.arguments;
  assertOneWish(call);
  const { dryRun } = options;
  const result = options.cancel
    ? await cancelOffboarding(fleet, id, { dryRun })
    : await offboardTenant(fleet, requestOf(call), { dryRun });
  if (!('plan' in result)) return { data: result, text: (colors) => offboardedText(result, colors) };
  const title = options.cancel ? `Bring ${id} back` : `Offboard ${id}`;
  return { data: result, text: () => planText(title, result.plan.steps) };
}

function requestOf({ arguments: { id }, options }: OffboardCall) {
  const { export: exportTo, withoutExport, retain, requestedBy, basis } = options;
  return { id, withoutExport, ...given({ exportTo, retainMs: retain, requestedBy, basis }) };
}

/** Bringing back takes nothing else, and an export cannot be both wanted and left out. */
function assertOneWish({ options }: OffboardCall): void {
  const { cancel, withoutExport, export: exportTo, retain, requestedBy, basis } = options;
  const others = { export: exportTo, retain, 'requested-by': requestedBy, basis };
  const besides = Object.entries(others).find(([, value]) => value !== undefined)?.[0];
  if (cancel && (besides !== undefined || withoutExport))
    throw usageError('OFFBOARD_USAGE', `--cancel takes no --${besides ?? 'without-export'}.`, {
      facts: { option: '--cancel' },
    });
  if (withoutExport && exportTo !== undefined)
    throw usageError('OFFBOARD_USAGE', '--export and --without-export contradict each other.', {
      facts: { option: '--without-export' },
    });
}
