import { resolve } from 'node:path';
import { usageError } from '../../core/errors.js';
import { type ReplaceRequest, replaceTenant } from '../../operations/restore/replace.js';
import { planReplacement, planRestore } from '../../operations/restore/plan.js';
import { type RestoreRequest, restoreTenant } from '../../operations/restore/restore.js';
import { replacedText, restoredText } from '../../render/restored-text.js';
import { stepsText } from '../../render/run-text.js';
import type { Call, Outcome } from '../command.js';
import type { restore as declaration } from '../commands/restore.js';
import { given } from '../given.js';
import { readPublicKeys } from '../public-keys.js';
import { parsePairs } from '../values.js';

type RestoreCall = Call<typeof declaration>;

/** Into a new tenant, or in the place of the rows of one that is there. */
export default async function handle(call: RestoreCall): Promise<Outcome> {
  const { into, replace, as } = call.options;
  if (into === undefined && !replace) return restoreNew(call);
  if (into === undefined) throw usage('--replace goes with --into: whose rows shall be replaced?');
  if (!replace) throw usage(`--into ${into} replaces all rows of that tenant; add --replace to say so.`);
  if (as !== undefined) throw usage('--as and --into exclude each other.');
  return replaceRows(call, into);
}

async function restoreNew(call: RestoreCall): Promise<Outcome> {
  const { fleet, options } = call;
  if (options.backup !== undefined) throw usage('--backup goes with --into only.');
  const request = await newTenantOf(call);
  if (options.dryRun) return planned(await planRestore(fleet, request));
  const data = await restoreTenant(fleet, request);
  return { data, text: (colors) => restoredText(data, colors) };
}

async function replaceRows(call: RestoreCall, into: string): Promise<Outcome> {
  const { fleet, options, io } = call;
  refuseUnused(call);
  const backup = options.backup === undefined ? undefined : resolve(io.cwd, options.backup);
  const request: ReplaceRequest = { ...(await exportOf(call)), into, ...given({ backup }) };
  if (options.dryRun) return planned(await planReplacement(fleet, request));
  const data = await replaceTenant(fleet, request);
  return { data, text: (colors) => replacedText(data, colors) };
}

function planned(data: Awaited<ReturnType<typeof planRestore>>): Outcome {
  return { data, text: () => stepsText(data.plan) };
}

async function newTenantOf(call: RestoreCall): Promise<RestoreRequest> {
  const { as: id, plan, tier, cluster, pool, tenantKey: key, owner, label, atExport } = call.options;
  const labels = label.length === 0 ? undefined : parsePairs('--label', label);
  return {
    ...(await exportOf(call)),
    atExport,
    ...given({ id, plan, tier, cluster, pool, key, owner, labels }),
  };
}

async function exportOf({ arguments: { dir }, options: { key }, io }: RestoreCall) {
  const [publicKey] = await readPublicKeys(io, key === undefined ? [] : [key]);
  return { directory: resolve(io.cwd, dir), ...given({ publicKey }) };
}

/** The tenant keeps its place and its particulars. */
function refuseUnused({ options }: RestoreCall): void {
  const { plan, tier, cluster, pool, tenantKey, owner, label, atExport } = options;
  const chosen = [plan, tier, cluster, pool, tenantKey, owner].some((value) => value !== undefined);
  if (chosen || label.length > 0 || atExport)
    throw usage('With --into the tenant stays where and what it is: only --backup and --key go with it.');
}

function usage(message: string) {
  return usageError('RESTORE_USAGE', message, { hint: 'See tenantctl restore --help.' });
}
