import { partialError, usageError } from '../../core/errors.js';
import { formatDuration } from '../../core/duration.js';
import { provision, type ProvisionRequest } from '../../operations/provision.js';
import { provisionMany } from '../../operations/provision-many.js';
import { counted, oneLine } from '../../render/line.js';
import { stepsText } from '../../render/run-text.js';
import { tenantText } from '../../render/tenant-text.js';
import type { Call, Outcome } from '../command.js';
import type { provision as declaration } from '../commands/provision.js';
import { given } from '../given.js';
import { readTenantRows } from '../rows/read.js';
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

async function provisionOne({ fleet, options }: ProvisionCall, id: string): Promise<Outcome> {
  if (options.concurrency !== undefined) throw usage('--concurrency goes with --from only.');
  const request: ProvisionRequest = { id, ...defaultsOf(options) };
  const result = await provision(fleet, request, { dryRun: options.dryRun });
  if ('plan' in result) return { data: result, text: () => stepsText(result.plan) };
  const { tenant, created, durationMs } = result;
  const word = created ? `provisioned in ${formatDuration(durationMs)}` : 'was there already';
  return {
    data: result,
    text: (colors) => `${colors.green('ok')} ${tenant.id} ${word}\n\n${tenantText(tenant)}`,
  };
}

async function provisionFile({ fleet, options, io }: ProvisionCall, from: string): Promise<Outcome> {
  const rows = readTenantRows(from, io, defaultsOf(options));
  const { dryRun, concurrency } = options;
  const data = await provisionMany(fleet, rows, { dryRun, ...given({ concurrency }) });
  const { created, existing, failed, durationMs } = data;
  const headline = `${counted(created, 'tenant')} ${dryRun ? 'to provision' : 'provisioned'}, ${existing} there already, ${failed.length} failed in ${formatDuration(durationMs)}`;
  const lines = failed.map(
    (row) => `  line ${row.line}${row.id ? ` ${row.id}` : ''}: ${row.code} ${oneLine(row.message)}`,
  );
  const text = () => [headline, ...lines].join('\n');
  if (failed.length === 0) return { data, text };
  const failure = partialError('PROVISION_PARTIAL', `${counted(failed.length, 'row')} of ${from} failed.`, {
    hint: 'Correct them and run the same command again: what is provisioned stays as it is.',
    facts: { failed: failed.length },
  });
  return { data, text, failure };
}

/** What the options say; in a file they stand in for columns that it leaves empty. */
function defaultsOf(options: ProvisionCall['options']): Omit<ProvisionRequest, 'id'> {
  const { plan, tier, cluster, pool, tenantKey: key, owner, label, seed } = options;
  const labels = label.length === 0 ? undefined : parsePairs('--label', label);
  return given({ plan, tier, cluster, pool, key, owner, labels, seed });
}

function usage(message: string) {
  return usageError('PROVISION_USAGE', message, { hint: 'See tenantctl provision --help.' });
}
