import { conflictError, isTenantctlError } from '../core/errors.js';
import { type TenantStatus, parseTenantId } from '../core/tenant.js';
import { auditInsert } from '../engine/catalog/audit.js';
import { type TenantRecord, requireTenant } from '../engine/catalog/tenants.js';
import type { Fleet } from '../engine/context.js';
import type { ExportPlan } from '../engine/export/plan.js';
import { type ExportRequest, type Exported, exportHome, planHome } from './export/home.js';
import { homeOf } from './home.js';
import { alone } from './tenant-lock.js';

export { type ExportRequest, type Exported, exportHome } from './export/home.js';

/** A finished export; or, for `dryRun`, what one would hold. */
export type ExportResult = Exported | { plan: PlannedExport };

export interface PlannedExport {
  tenant: string;
  directory: string;
  tables: { table: string; kind: ExportPlan['tables'][number]['kind'] }[];
  circles: string[][];
  leftOut: ExportPlan['leftOut'];
  largeObjects: ExportPlan['largeObjects'];
}

/**
 * Exports one tenant from one moment of its home into a new folder.
 * @param request.deliveredTo what the audit log names in place of the folder
 * @throws conflict `TENANT_UNKNOWN`, `TENANT_LOCKED` or `TENANT_STATUS` (exit 5), and as `exportHome`
 */
export async function exportTenant(
  fleet: Fleet,
  request: ExportRequest & { id: string; deliveredTo?: string },
  options: { dryRun: boolean },
): Promise<ExportResult> {
  const { id, deliveredTo = request.directory } = request;
  parseTenantId(id);
  const record = await fleet.catalog((connection) => requireTenant(connection, id));
  assertExportable(record);
  if (options.dryRun)
    return { plan: toPlanned(record, request, await planHome(fleet, homeOf(fleet, record), request)) };
  return alone(fleet, id, async (connection) => {
    const now = await requireTenant(connection, id);
    assertExportable(now);
    const audit = { action: 'tenant.export', tenant: id };
    const where = { directory: deliveredTo, tier: now.tier, epoch: now.epoch };
    await connection.atomically([auditInsert(fleet.actor, { ...audit, phase: 'intent', details: where })]);
    try {
      const exported = await exportHome(fleet, homeOf(fleet, now), request);
      const { manifestSha256, rows, bytes } = exported;
      await connection.atomically([
        auditInsert(fleet.actor, { ...audit, details: { ...where, manifestSha256, rows, bytes } }),
      ]);
      return exported;
    } catch (error) {
      const code = isTenantctlError(error) ? error.code : 'UNEXPECTED';
      const failed = { ...audit, phase: 'failed' as const, details: { ...where, code } };
      await connection.atomically([auditInsert(fleet.actor, failed)]).catch(() => undefined);
      throw error;
    }
  });
}

function toPlanned({ id }: TenantRecord, { directory }: ExportRequest, plan: ExportPlan): PlannedExport {
  const { tables, circles, leftOut, largeObjects } = plan;
  return {
    tenant: id,
    directory,
    tables: tables.map(({ name, kind }) => ({ table: name, kind })),
    circles,
    leftOut,
    largeObjects,
  };
}

/** A half-made tenant has nothing yet, a moving one has two homes, a deleted one none. */
function assertExportable({ id, status }: TenantRecord): void {
  const hints: Partial<Record<TenantStatus, string>> = {
    provisioning: `\`tenantctl provision ${id}\` finishes it, or \`tenantctl restore <folder> --as ${id}\` one that comes from an export.`,
    moving: `\`tenantctl moves watch ${id}\` tells when it has arrived; then export it, or \`tenantctl moves abort ${id}\` first.`,
    deleted: 'Nothing of it is left; its certificate says when that came about.',
  };
  const hint = hints[status];
  if (hint === undefined) return;
  throw conflictError('TENANT_STATUS', `Tenant ${id} is ${status}; it cannot be exported.`, {
    hint,
    facts: { tenant: id, status },
  });
}
