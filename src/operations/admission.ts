import { conflictError } from '../core/errors.js';
import { type Tenant, type TenantStatus, parseTenantId } from '../core/tenant.js';
import { auditInsert } from '../engine/catalog/audit.js';
import { type TenantRecord, requireTenant, statusUpdate } from '../engine/catalog/tenants.js';
import type { Fleet } from '../engine/context.js';
import { driverOf } from '../engine/tiers/registry.js';
import { tryWithLock } from '../pg/locks.js';
import type { Connection } from '../pg/connection.js';
import { homeOf, toTenant } from './home.js';
import { limitsOf } from './provision-plan.js';

/** Opening and closing a tenant differ in these words only. */
interface Change {
  action: string;
  from: TenantStatus;
  to: Extract<TenantStatus, 'active' | 'suspended'>;
  fence: 'open' | 'closed';
}

/**
 * Opens or closes a tenant. The home goes first and the catalog after it: a crash between the two leaves
 * a tenant refused or served as asked, and the same call again brings the catalog up to it.
 */
export async function changeAdmission(
  fleet: Fleet,
  id: string,
  change: Change,
  options: { dryRun: boolean },
): Promise<{ tenant: Tenant }> {
  parseTenantId(id);
  return fleet.catalog(async (connection) => {
    if (options.dryRun) return { tenant: preview(await requireTenant(connection, id), change) };
    const done = await tryWithLock(connection, 'tenant', id, () => apply(fleet, connection, id, change));
    if (done !== undefined) return { tenant: toTenant(done.value) };
    throw conflictError('TENANT_LOCKED', `Tenant ${id} is being worked on by another process.`, {
      hint: 'Wait for it and run the same command again.',
      facts: { tenant: id },
    });
  });
}

async function apply(
  fleet: Fleet,
  connection: Connection,
  id: string,
  change: Change,
): Promise<TenantRecord> {
  const record = await requireTenant(connection, id);
  if (record.status === change.to) return record;
  assertCanBecome(record, change);
  const audit = { action: change.action, tenant: id };
  await connection.atomically([auditInsert(fleet.actor, { ...audit, phase: 'intent' })]);
  const home = homeOf(record, limitsOf(fleet.settings, record.plan));
  await driverOf(record.tier).fence(fleet, home, change.fence);
  if (change.fence === 'closed') fleet.reach('suspend.home-closed');
  await connection.atomically([statusUpdate(id, change.to), auditInsert(fleet.actor, audit)]);
  return requireTenant(connection, id);
}

function preview(record: TenantRecord, change: Change): Tenant {
  if (record.status !== change.to) assertCanBecome(record, change);
  return toTenant({ ...record, status: change.to });
}

/** A half-made tenant is finished by `provision`, a moving one by its move, an offboarding one by `offboard`. */
function assertCanBecome(record: TenantRecord, change: Change): void {
  const { id, status } = record;
  if (status === change.from) return;
  const hints: Partial<Record<TenantStatus, string>> = {
    provisioning: `\`tenantctl provision ${id}\` finishes it.`,
    moving: 'Wait until its move has flipped, or abort the move.',
    offboarding: `\`tenantctl offboard ${id} --cancel\` brings it back.`,
  };
  throw conflictError('TENANT_STATUS', `Tenant ${id} is ${status}; it cannot become ${change.to}.`, {
    hint: hints[status] ?? 'Its id is never used again.',
    facts: { tenant: id, status, wanted: change.to },
  });
}
