import { resolve } from 'node:path';
import { usageError } from '../../core/errors.js';
import { exportAsTar } from '../../operations/export/tar.js';
import { exportTenant } from '../../operations/export.js';
import { exportPlanText, exportedText } from '../../render/export-text.js';
import type { Call, Outcome } from '../command.js';
import type { exportTenant as declaration } from '../commands/export.js';

type ExportCall = Call<typeof declaration>;

const STDOUT = '-';

export default async function handle(call: ExportCall): Promise<Outcome> {
  const { fleet, options, io } = call;
  const { id } = call.arguments;
  const { out, format, gzip, dryRun } = options;
  if (out === undefined) throw usage(`export needs --out.`, `tenantctl export ${id} --out exports/${id}`);
  if (out === STDOUT && !dryRun) return toStdout(call);
  const directory = resolve(io.cwd, out);
  const result = await exportTenant(fleet, { id, directory, format, gzip }, { dryRun });
  if ('plan' in result) return { data: result, text: () => exportPlanText(result.plan) };
  return { data: result, text: (colors) => exportedText(result, colors) };
}

/** Nothing but the tar goes there. */
async function toStdout({
  fleet,
  global,
  io,
  arguments: { id },
  options: { format, gzip },
}: ExportCall): Promise<Outcome> {
  if (global.json) throw usage('--out - and --json both want stdout.', 'Name a folder, or leave --json out.');
  if (io.stdout.isTTY === true)
    throw usage(
      '--out - writes a tar, and stdout is a terminal.',
      `tenantctl export ${id} --out - > ${id}.tar`,
    );
  await exportAsTar(fleet, { id, format, gzip }, io.stdout);
  return { data: null, text: () => '' };
}

function usage(message: string, hint: string) {
  return usageError('EXPORT_USAGE', message, { hint, facts: { option: '--out' } });
}
