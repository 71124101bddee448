import type { UninstallReport } from '../../core/uninstall.js';
import { uninstall } from '../../operations/uninstall/uninstall.js';
import { uninstallText } from '../../render/uninstall-text.js';
import type { Call, Outcome } from '../command.js';
import type { uninstall as declaration } from '../commands/uninstall.js';
import { connectNewFleet } from '../context.js';

export default async function handle(call: Call<typeof declaration>): Promise<Outcome> {
  const { config, options } = call;
  const fleet = await connectNewFleet({ ...call, change: options });
  try {
    const report = withLocal(await uninstall(fleet, { dryRun: options.dryRun }), config.catalog);
    const { removed, kept, lost, blockers } = report;
    const data = { removed, kept, lost, ...(options.dryRun && { blockers }) };
    return { data, text: () => uninstallText(report, options.dryRun) };
  } finally {
    await fleet.close();
  }
}

/** The local server is no database of somebody else's: what is left of it is a folder. */
function withLocal(
  report: UninstallReport,
  catalog: Call<typeof declaration>['config']['catalog'],
): UninstallReport {
  if (catalog.kind !== 'local') return report;
  const server = {
    kind: 'folder',
    name: catalog.directory,
    where: 'this machine',
    reason: 'the local server and all its data: `tenantctl dev down`, then delete it yourself',
  };
  return { ...report, kept: [...report.kept, server] };
}
