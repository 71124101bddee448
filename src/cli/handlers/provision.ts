import { resolve } from 'node:path';
import { partialError, usageError } from '../../core/errors.js';
import { formatDuration } from '../../core/duration.js';
import { provision, type ProvisionRequest } from '../../operations/provision.js';
import { provisionMany } from '../../operations/provision-many.js';
import { counted } from '../../core/counted.js';
import { provisionedManyText } from '../../render/provisioned-text.js';
import { stepsText } from '../../render/run-text.js';
import { tenantText } from '../../render/tenant-text.js';
import type { Call, Outcome } from '../command.js';
import type { provision as declaration } from '../commands/provision.js';
import { given } from '../given.js';
import { readTenantRows } from '../rows/request.js';
import { parsePairs } from '../values.js';

type ProvisionCall = Call<typeof declaration>;

/** One tenant by its id, or many from a file. */
export default async function handle(call: ProvisionCall): Promise<Outcome> {
  const { id } = call.arguments;
  const { from } = call.options;
  if (id === undefined && from === undefined)
    throw usage('<id> or --from is needed: whom shall it provision?');
  if (id !== undefined && from !== undefined) throw usage('<id> and --from exclude each other.');
  return from === undefined ? provisionOne(call, id as string) : provisionFile(call, from);
}

async function provisionOne(call: ProvisionCall, id: string): Promise<Outcome> {
  const { fleet, options } = call;
  if (options.concurrency !== undefined) throw usage('--concurrency goes with --from only.');
  const request: ProvisionRequest = { id, ...defaultsOf(call) };
  const result = await provision(fleet, request, { dryRun: options.dryRun });
  if ('plan' in result) return { data: result, text: () => stepsText(result.plan) };
  const { tenant, created, durationMs } = result;
  const word = created ? `provisioned in ${formatDuration(durationMs)}` : 'was there already';
  return {
    data: result,
    text: (colors) => `${colors.green('ok')} ${tenant.id} ${word}\n\n${tenantText(tenant)}`,
  };
}

async function provisionFile(call: ProvisionCall, from: string): Promise<Outcome> {
  const { fleet, options, io, signal } = call;
  const { dryRun, concurrency } = options;
  const rows = readTenantRows(from, io, defaultsOf(call));
  const data = await provisionMany(fleet, rows, { dryRun, ...given({ concurrency }) });
  const failure =
    data.failed.length > 0 || signal.aborted
      ? manyFailure(data.failed.length, from === '-' ? 'stdin' : from, dryRun)
      : undefined;
  return { data, text: () => provisionedManyText(data, dryRun), ...given({ failure }) };
}

/** Without a failed row it was stopped before the end of the file. */
function manyFailure(failed: number, from: string, dryRun: boolean) {
  const fails = dryRun ? 'would fail' : 'failed';
  const message =
    failed === 0 ? `Not every row of ${from} was read.` : `${counted(failed, 'row')} of ${from} ${fails}.`;
  return partialError('PROVISION_PARTIAL', message, {
    hint: dryRun
      ? 'Correct bad rows and run the same command again.'
      : 'Run the same command again, with bad rows corrected: what is provisioned stays as it is.',
    facts: { failed },
  });
}

/** What the options say; in a file they stand in for columns that it leaves empty. */
function defaultsOf({ options, io }: ProvisionCall): Omit<ProvisionRequest, 'id'> {
  const { plan, tier, cluster, pool, tenantKey: key, owner, label } = options;
  const labels = label.length === 0 ? undefined : parsePairs('--label', label);
  const seed = options.seed === undefined ? undefined : resolve(io.cwd, options.seed);
  return given({ plan, tier, cluster, pool, key, owner, labels, seed });
}

function usage(message: string) {
  return usageError('PROVISION_USAGE', message, { hint: 'See tenantctl provision --help.' });
}
