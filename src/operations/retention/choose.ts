import { conflictError, refusedError } from '../../core/errors.js';
import { parseTenantId } from '../../core/tenant.js';
import { type StoredOffboarding, openOffboardings } from '../../engine/catalog/offboardings.js';
import { standingHolds } from '../../engine/catalog/legal-holds.js';
import { requireTenant } from '../../engine/catalog/tenants.js';
import type { Fleet } from '../../engine/context.js';
import { onHold } from './hold.js';

/** What a caller wants deleted. */
export interface RetentionRequest {
  /** These tenants alone; everything that is due when empty. */
  ids: readonly string[];
  /** With more due than this nothing is deleted; `retention.max` when left out. */
  max?: number;
  /** Milliseconds, and rows, after which no other batch is begun. */
  maxMs?: number;
  maxRows?: number;
}

/** A tenant that was left alone, and why. */
export interface Skipped {
  tenant: string;
  code: string;
  reason: string;
}

interface Chosen {
  due: StoredOffboarding[];
  skipped: Skipped[];
}

/**
 * What is due by the clock of the catalog's server. Tenants on hold are left out when all are asked for.
 * @throws refusal `TOO_MANY_DUE` (exit 6) · conflict `NOT_DUE`, `NOT_OFFBOARDING` or `TENANT_ON_HOLD` (exit 5) for one
 *   that was named
 */
export async function chooseDue(fleet: Fleet, { ids, max }: RetentionRequest): Promise<Chosen> {
  const { open, holds } = await fleet.catalog(async (connection) => {
    for (const id of ids) await requireTenant(connection, parseTenantId(id));
    return { open: await openOffboardings(connection), holds: await standingHolds(connection) };
  });
  const most = max ?? fleet.settings.retention.max;
  if (ids.length > 0) {
    const due = [...new Set(ids)].map((id) => named(id, open, holds));
    if (due.length > most) throw tooManyDue(due, most);
    return { due, skipped: [] };
  }
  const held = new Map(holds.map((hold) => [hold.tenant, hold]));
  const due = open.filter((one) => one.due && one.state !== 'requested' && !held.has(one.tenant));
  if (due.length > most) throw tooManyDue(due, most);
  const skipped = open.flatMap((one) => (one.due ? whySkipped(one, held) : []));
  return { due, skipped };
}

type Holds = Awaited<ReturnType<typeof standingHolds>>;

function named(id: string, open: readonly StoredOffboarding[], holds: Holds): StoredOffboarding {
  const offboarding = open.find(({ tenant }) => tenant === id);
  if (offboarding === undefined) throw notOffboarding(id);
  const hold = holds.find(({ tenant }) => tenant === id);
  if (hold !== undefined) throw onHold(hold);
  if (offboarding.state === 'requested') throw notThroughYet(id);
  if (!offboarding.due) throw notDue(offboarding);
  return offboarding;
}

function whySkipped(
  { tenant, state }: StoredOffboarding,
  held: ReadonlyMap<string, Holds[number]>,
): Skipped[] {
  const hold = held.get(tenant);
  if (hold !== undefined)
    return [{ tenant, code: 'TENANT_ON_HOLD', reason: `on hold since ${hold.placedAt} by ${hold.author}` }];
  if (state !== 'requested') return [];
  return [
    {
      tenant,
      code: 'NOT_EXPORTED',
      reason: `its offboarding was interrupted: \`tenantctl offboard ${tenant}\` finishes it`,
    },
  ];
}

function tooManyDue(due: readonly StoredOffboarding[], max: number) {
  const names = due.map(({ tenant }) => tenant);
  return refusedError(
    'TOO_MANY_DUE',
    `${due.length} tenants are due, and at most ${max} are deleted in one call: nothing was deleted.`,
    {
      hint: `\`tenantctl retention list\` shows them. If they are right: \`tenantctl retention run --max ${due.length} --yes\`.`,
      facts: { due: due.length, max, tenants: names.slice(0, 100) },
    },
  );
}

function notOffboarding(id: string) {
  return conflictError(
    'NOT_OFFBOARDING',
    `Tenant ${id} is not being offboarded, so nothing of it is deleted.`,
    {
      hint: `\`tenantctl offboard ${id}\` suspends, exports and schedules it.`,
      facts: { tenant: id },
    },
  );
}

function notThroughYet(id: string) {
  return conflictError(
    'NOT_EXPORTED',
    `The offboarding of tenant ${id} was interrupted before it was through.`,
    {
      hint: `\`tenantctl offboard ${id}\` again finishes it.`,
      facts: { tenant: id },
    },
  );
}

function notDue({ tenant, dueAt }: StoredOffboarding) {
  return conflictError('NOT_DUE', `Tenant ${tenant} is not due before ${dueAt}; nothing was deleted.`, {
    hint: "The clock is that of the catalog's server, in UTC. A shorter time is asked for when it is offboarded (--retain).",
    facts: { tenant, dueAt },
  });
}
