import { formatDuration } from '../../core/duration.js';
import type { FleetSettings } from '../../core/settings.js';
import type { StoredOffboarding } from '../../engine/catalog/offboardings.js';
import type { TenantRecord } from '../../engine/catalog/tenants.js';
import type { OffboardRequest } from './request.js';

/** What offboarding a tenant would do, as sentences in order. */
export function offboardSteps(
  { retention }: FleetSettings,
  { id, tier, cluster, database, schema }: TenantRecord,
  request: OffboardRequest,
  open: StoredOffboarding | undefined,
): string[] {
  if (open !== undefined && open.state !== 'requested')
    return [`nothing: tenant ${id} is being offboarded, and is due on ${open.dueAt}`];
  const retainMs = open?.retainMs ?? request.retainMs ?? retention.periodMs;
  const wanted = request.withoutExport !== true && (request.exportTo !== undefined || retention.export);
  const folder = request.exportTo ?? `${retention.directory}/${id}-…`;
  return [
    `refuse the readers and writers of tenant ${id} (TC002) and end their sessions: tier ${tier}, schema ${schema} of database ${database} on cluster ${cluster}`,
    (open?.wantsExport ?? wanted)
      ? `export it to ${folder}`
      : 'export nothing: its rows are gone for good when they are deleted',
    `schedule its deletion in ${formatDuration(retainMs)}, by the clock of the catalog's server`,
    `until then \`tenantctl offboard ${id} --cancel\` brings it back whole; after that day \`tenantctl retention run\` deletes it`,
  ];
}
