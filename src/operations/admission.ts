import { conflictError } from '../core/errors.js';
import { type Tenant, type TenantStatus, parseTenantId } from '../core/tenant.js';
import { auditInsert } from '../engine/catalog/audit.js';
import { type TenantRecord, requireTenant, statusUpdate } from '../engine/catalog/tenants.js';
import type { Fleet } from '../engine/context.js';
import { driverOf } from '../engine/tiers/registry.js';
import type { Connection } from '../pg/connection.js';
import { homeOf, toTenant } from './home.js';
import { runLifecycleHooks } from './lifecycle-hooks.js';
import { alone } from './tenant-lock.js';

/** Opening and closing a tenant differ in these words only. */
interface Change {
  action: string;
  from: TenantStatus;
  to: Extract<TenantStatus, 'active' | 'suspended'>;
  /** What runs afterwards. */
  hook: 'afterSuspend' | null;
}

/**
 * Opens or closes a tenant. The home goes first and the catalog after it: a crash between the two leaves
 * a tenant refused or served as asked; the same call again brings the catalog up to it, and the opposite
 * one takes it back.
 */
export async function changeAdmission(
  fleet: Fleet,
  id: string,
  change: Change,
  options: { dryRun: boolean },
): Promise<{ tenant: Tenant }> {
  parseTenantId(id);
  if (options.dryRun) {
    const record = await fleet.catalog((connection) => requireTenant(connection, id));
    return { tenant: preview(record, change) };
  }
  const { record, changed } = await alone(fleet, id, (connection) => apply(fleet, connection, id, change));
  const tenant = toTenant(record);
  if (changed && change.hook !== null) await runLifecycleHooks(fleet, change.hook, tenant);
  return { tenant };
}

async function apply(
  fleet: Fleet,
  connection: Connection,
  id: string,
  change: Change,
): Promise<{ record: TenantRecord; changed: boolean }> {
  const record = await requireTenant(connection, id);
  const home = homeOf(fleet, record);
  const fence = () => driverOf(record.tier).fence(fleet, home, change.to);
  if (record.status === change.to) {
    // The opposite change may have died between home and catalog.
    await fence();
    return { record, changed: false };
  }
  assertCanBecome(record, change);
  const audit = { action: change.action, tenant: id };
  await connection.atomically([auditInsert(fleet.actor, { ...audit, phase: 'intent' })]);
  await fence();
  if (change.to === 'suspended') fleet.reach('suspend.home-closed');
  await connection.atomically([statusUpdate(id, change.to), auditInsert(fleet.actor, audit)]);
  return { record: await requireTenant(connection, id), changed: true };
}

function preview(record: TenantRecord, change: Change): Tenant {
  if (record.status !== change.to) assertCanBecome(record, change);
  return toTenant({ ...record, status: change.to });
}

/** A half-made tenant is finished by `provision`, a moving one by its move, an offboarding one by `offboard`. */
function assertCanBecome(record: TenantRecord, change: Change): void {
  const { id, status, restoredFrom } = record;
  if (status === change.from) return;
  const hints: Partial<Record<TenantStatus, string>> = {
    provisioning:
      restoredFrom === null
        ? `\`tenantctl provision ${id}\` finishes it.`
        : `\`tenantctl restore <folder> --as ${id}\` finishes it.`,
    moving: 'Wait until its move has flipped, or abort the move.',
    offboarding: `\`tenantctl offboard ${id} --cancel\` brings it back.`,
  };
  throw conflictError('TENANT_STATUS', `Tenant ${id} is ${status}; it cannot become ${change.to}.`, {
    hint: hints[status] ?? 'Its id is never used again.',
    facts: { tenant: id, status, wanted: change.to },
  });
}
