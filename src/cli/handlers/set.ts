import { usageError } from '../../core/errors.js';
import { setTenant, type TenantEdit } from '../../operations/set.js';
import type { Call, Outcome } from '../command.js';
import type { set } from '../commands/set.js';
import { given } from '../given.js';
import { tenantOutcome } from '../tenant-outcome.js';
import { parsePairs } from '../values.js';

type SetCall = Call<typeof set>;

export default async function handle({ fleet, arguments: { id }, options }: SetCall): Promise<Outcome> {
  const edit = editOf(options);
  const result = await setTenant(fleet, id, edit, { dryRun: options.dryRun });
  return tenantOutcome(result, 'changed', options.dryRun);
}

function editOf({ plan, owner, label, unlabel, pin, unpin }: SetCall['options']): TenantEdit {
  if (pin !== undefined && unpin) throw usage('--pin and --unpin exclude each other.');
  const labels = label.length === 0 ? undefined : parsePairs('--label', label);
  const edit: TenantEdit = given({
    plan,
    owner,
    labels,
    unlabel: unlabel.length === 0 ? undefined : unlabel,
    pin,
    unpin: unpin || undefined,
  });
  if (Object.keys(edit).length > 0) return edit;
  throw usage('Nothing to set: give --plan, --owner, --label, --unlabel, --pin or --unpin.');
}

function usage(message: string) {
  return usageError('SET_USAGE', message, { hint: 'See tenantctl set --help.' });
}
