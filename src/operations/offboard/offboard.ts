import { randomUUID } from 'node:crypto';
import { conflictError } from '../../core/errors.js';
import { parseTenantId } from '../../core/tenant.js';
import { auditInsert } from '../../engine/catalog/audit.js';
import { openMoveOf } from '../../engine/catalog/moves.js';
import {
  type StoredOffboarding,
  offboardingInsert,
  offboardingStep,
  openOffboardingOf,
  requireOffboarding,
} from '../../engine/catalog/offboardings.js';
import { type TenantRecord, requireTenant, statusUpdate } from '../../engine/catalog/tenants.js';
import type { Fleet } from '../../engine/context.js';
import { driverOf } from '../../engine/tiers/registry.js';
import type { Connection } from '../../pg/connection.js';
import { homeOf } from '../home.js';
import { requireSigningKey } from '../signing.js';
import { alone } from '../tenant-lock.js';
import { shortId } from '../../core/short-id.js';
import { runLifecycleHooks } from '../lifecycle-hooks.js';
import { exportLeaving } from './export.js';
import { offboardSteps } from './plan.js';
import { offboardedNow } from './report.js';
import type { OffboardPlan, OffboardRequest, Offboarded } from './request.js';

/**
 * Shuts a tenant's home, exports it, and schedules its deletion. Nothing is deleted. Again: goes on where a crash left
 * it, and changes nothing where all is done.
 *
 * @throws configuration error `SIGNING_KEY_MISSING` (exit 3): its certificate could not be signed
 * @throws conflict `TENANT_STATUS`, `TENANT_MOVING` or `OFFBOARDING_DIFFERS` (exit 5) · whatever an export throws
 */
export async function offboardTenant(
  fleet: Fleet,
  request: OffboardRequest,
  options: { dryRun: boolean },
): Promise<Offboarded | OffboardPlan> {
  parseTenantId(request.id);
  requireSigningKey(fleet.settings);
  if (options.dryRun) return plan(fleet, request);
  return alone(fleet, request.id, (connection) => offboardLocked(fleet, connection, request));
}

async function plan(fleet: Fleet, request: OffboardRequest): Promise<OffboardPlan> {
  return fleet.catalog(async (connection) => {
    const record = await requireTenant(connection, request.id);
    const open = await openOffboardingOf(connection, request.id);
    if (open === undefined) await assertLeaving(connection, record);
    return { plan: { tenant: record.id, steps: offboardSteps(fleet.settings, record, request, open) } };
  });
}

async function offboardLocked(
  fleet: Fleet,
  connection: Connection,
  request: OffboardRequest,
): Promise<Offboarded> {
  const record = await requireTenant(connection, request.id);
  const known = await openOffboardingOf(connection, request.id);
  if (known !== undefined) assertSameRequest(known, request);
  const offboarding = known ?? (await recordRequest(fleet, connection, record, request));
  fleet.reach('offboard.recorded');
  if (offboarding.state === 'requested')
    await closeAndExport(fleet, connection, record, offboarding, request);
  const report = await offboardedNow(connection, offboarding);
  if (offboarding.state === 'requested') await runLifecycleHooks(fleet, 'afterSuspend', report.tenant);
  return report;
}

async function recordRequest(
  fleet: Fleet,
  connection: Connection,
  record: TenantRecord,
  request: OffboardRequest,
): Promise<StoredOffboarding> {
  const statusBefore = await assertLeaving(connection, record);
  const { retention } = fleet.settings;
  const offboarding = {
    id: randomUUID(),
    tenant: record.id,
    requestedBy: request.requestedBy ?? fleet.actor.actor,
    reason: fleet.actor.reason,
    basis: request.basis ?? null,
    statusBefore,
    retainMs: request.retainMs ?? retention.periodMs,
    wantsExport: request.withoutExport === true ? false : request.exportTo !== undefined || retention.export,
  };
  const { id, retainMs, wantsExport } = offboarding;
  await connection.atomically([
    offboardingInsert(offboarding, fleet.actor),
    statusUpdate(record.id, 'offboarding'),
    auditInsert(fleet.actor, {
      action: 'tenant.offboard',
      phase: 'intent',
      tenant: record.id,
      details: { offboarding: id, retainMs, export: wantsExport, basis: offboarding.basis },
    }),
  ]);
  return requireOffboarding(connection, id);
}

async function closeAndExport(
  fleet: Fleet,
  connection: Connection,
  record: TenantRecord,
  offboarding: StoredOffboarding,
  request: OffboardRequest,
): Promise<void> {
  const home = homeOf(fleet, record);
  await driverOf(record.tier).fence(fleet, home, 'offboarding');
  fleet.reach('offboard.home-closed');
  const exported = offboarding.wantsExport
    ? await exportLeaving(fleet, record, offboarding, request.exportTo)
    : undefined;
  fleet.reach('offboard.exported');
  await connection.atomically([
    offboardingStep(offboarding.offboarding, 'scheduled', exported === undefined ? {} : { export: exported }),
    auditInsert(fleet.actor, {
      action: 'tenant.offboard',
      tenant: record.id,
      details: {
        offboarding: offboarding.offboarding,
        dueAt: offboarding.dueAt,
        manifestSha256: exported?.manifestSha256 ?? null,
      },
    }),
  ]);
}

/** @throws conflict (exit 5) when the tenant cannot leave as it is */
async function assertLeaving(
  connection: Connection,
  { id, status }: TenantRecord,
): Promise<'active' | 'suspended'> {
  const move = await openMoveOf(connection, id);
  if (move !== undefined) throw stillMoving(id, move.move, move.state === 'grace');
  if (status === 'active' || status === 'suspended') return status;
  throw conflictError(
    'TENANT_STATUS',
    `Tenant ${id} is ${status}; only an active or suspended one is offboarded.`,
    {
      hint: `\`tenantctl provision ${id}\` finishes one that is half made, \`tenantctl restore\` one that was being restored; then offboard it.`,
      facts: { tenant: id, status },
    },
  );
}

function stillMoving(id: string, move: string, inGrace: boolean) {
  return conflictError(
    'TENANT_MOVING',
    `Tenant ${id} has two homes: its move ${shortId(move)} is not over.`,
    {
      hint: inGrace
        ? `\`tenantctl moves complete ${id}\` deletes the old copy; then offboard it.`
        : `\`tenantctl moves show ${id}\` says how to end it; then offboard the tenant.`,
      facts: { tenant: id, move },
    },
  );
}

/** A day that was promised is not changed by asking again. */
function assertSameRequest(known: StoredOffboarding, { id, retainMs }: OffboardRequest): void {
  if (retainMs === undefined || retainMs === known.retainMs) return;
  throw conflictError(
    'OFFBOARDING_DIFFERS',
    `Tenant ${id} is being offboarded already, and is due on ${known.dueAt}.`,
    {
      hint: `\`tenantctl offboard ${id} --cancel\` brings it back; offboard it again with another --retain.`,
      facts: { tenant: id, dueAt: known.dueAt },
    },
  );
}
