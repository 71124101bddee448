import { conflictError } from '../../core/errors.js';
import { parseTenantId } from '../../core/tenant.js';
import { auditInsert } from '../../engine/catalog/audit.js';
import {
  type StoredOffboarding,
  lastOffboardingOf,
  offboardingStep,
} from '../../engine/catalog/offboardings.js';
import { requireTenant, statusUpdate } from '../../engine/catalog/tenants.js';
import type { Fleet } from '../../engine/context.js';
import { driverOf } from '../../engine/tiers/registry.js';
import type { Connection } from '../../pg/connection.js';
import { homeOf } from '../home.js';
import { alone } from '../tenant-lock.js';
import { offboardedNow } from './report.js';
import type { OffboardPlan, Offboarded } from './request.js';

/**
 * Brings a tenant back that is being offboarded, with the status it had. Its export stays where it is. Again: no change.
 * @throws conflict `NOT_OFFBOARDING` or `DELETION_BEGUN` (exit 5)
 */
export async function cancelOffboarding(
  fleet: Fleet,
  id: string,
  options: { dryRun: boolean },
): Promise<Offboarded | OffboardPlan> {
  parseTenantId(id);
  if (!options.dryRun) return alone(fleet, id, (connection) => cancel(fleet, connection, id));
  const last = await fleet.catalog(async (connection) => {
    await requireTenant(connection, id);
    return lastOffboardingOf(connection, id);
  });
  const steps =
    assertCancellable(id, last).finishedAt === null ? cancelSteps(id, last) : [`nothing: it is back`];
  return { plan: { tenant: id, steps } };
}

function cancelSteps(id: string, last: StoredOffboarding | undefined): string[] {
  const before = last?.statusBefore ?? 'active';
  return before === 'active'
    ? [
        `serve tenant ${id} again, with every row it had`,
        'forget the day of its deletion; an export stays where it is',
      ]
    : [
        `leave tenant ${id} suspended, as it was before`,
        'forget the day of its deletion; an export stays where it is',
      ];
}

async function cancel(fleet: Fleet, connection: Connection, id: string): Promise<Offboarded> {
  const record = await requireTenant(connection, id);
  const { offboarding, statusBefore, finishedAt } = assertCancellable(
    id,
    await lastOffboardingOf(connection, id),
  );
  if (finishedAt === null) {
    await driverOf(record.tier).fence(fleet, homeOf(fleet, record), statusBefore);
    fleet.reach('offboard.home-opened');
    await connection.atomically([
      offboardingStep(offboarding, 'cancelled'),
      statusUpdate(id, statusBefore),
      auditInsert(fleet.actor, { action: 'tenant.offboard-cancelled', tenant: id, details: { offboarding } }),
    ]);
  }
  return offboardedNow(connection, { tenant: id, offboarding });
}

/** One that was cancelled already is as it should be. */
function assertCancellable(id: string, last: StoredOffboarding | undefined): StoredOffboarding {
  if (last === undefined)
    throw conflictError('NOT_OFFBOARDING', `Tenant ${id} is not being offboarded.`, {
      hint: `\`tenantctl show ${id}\` says what it is.`,
      facts: { tenant: id },
    });
  if (last.begunAt === null) return last;
  throw conflictError(
    'DELETION_BEGUN',
    `The deletion of tenant ${id} began on ${last.begunAt}; rows may be gone, so it cannot be brought back whole.`,
    {
      hint:
        last.export === null
          ? `\`tenantctl retention run ${id}\` finishes it.`
          : `\`tenantctl retention run ${id}\` finishes it; its export is in ${last.export.directory}: \`tenantctl restore\` makes a new tenant of it.`,
      facts: { tenant: id, begunAt: last.begunAt, export: last.export?.directory ?? null },
    },
  );
}
