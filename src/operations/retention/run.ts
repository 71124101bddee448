import { isTenantctlError } from '../../core/errors.js';
import type { Offboarding } from '../../core/offboarding.js';
import { groupBy } from '../../core/group-by.js';
import type { StoredOffboarding } from '../../engine/catalog/offboardings.js';
import { type TenantRecord, requireTenant } from '../../engine/catalog/tenants.js';
import type { Fleet } from '../../engine/context.js';
import type { Connection } from '../../pg/connection.js';
import { tryWithLock } from '../../pg/locks.js';
import { toOffboarding } from '../offboard/report.js';
import { requireSigningKey } from '../signing.js';
import { Budget } from './budget.js';
import { type RetentionRequest, type Skipped, chooseDue } from './choose.js';
import { departTogether } from './depart.js';
import type { RetentionResult } from './result.js';

/** Tenants whose homes are looked over together: one look serves them all. */
const TOGETHER = 100;

/**
 * Deletes every tenant that is due, with proof. Two calls at once share the work; a call that was killed is gone on
 * with by the next one.
 *
 * @throws refusal `TOO_MANY_DUE` (exit 6) · conflict (exit 5) for a named tenant that cannot be deleted · configuration
 *   error `SIGNING_KEY_MISSING` (exit 3); nothing was deleted then
 */
export async function runRetention(fleet: Fleet, request: RetentionRequest): Promise<RetentionResult> {
  requireSigningKey(fleet.settings);
  const { due, skipped } = await chooseDue(fleet, request);
  const result: RetentionResult = { deleted: [], skipped: [...skipped], failed: [], left: [] };
  const budget = new Budget({ ms: request.maxMs ?? null, rows: request.maxRows ?? null }, fleet.signal);
  for (const group of await groupsOf(fleet, due)) {
    if (budget.spent) result.left.push(...group.map(({ tenant }) => tenant));
    else await locked(fleet, group, (held) => departTogether(fleet, held, budget, result), result);
  }
  return result;
}

/** What a call would delete; nothing is changed. */
export async function planRetention(
  fleet: Fleet,
  request: RetentionRequest,
): Promise<{ due: Offboarding[]; skipped: Skipped[] }> {
  const { due, skipped } = await chooseDue(fleet, request);
  return { due: due.map(toOffboarding), skipped };
}

/** By cluster and database, so that pages of a pool that were just written are written again soon. */
async function groupsOf(fleet: Fleet, due: readonly StoredOffboarding[]): Promise<StoredOffboarding[][]> {
  const places = new Map<string, TenantRecord>();
  await fleet.catalog(async (connection) => {
    for (const { tenant } of due) {
      const record = await stillThere(connection, tenant);
      if (record !== undefined) places.set(tenant, record);
    }
  });
  const left = due.filter(({ tenant }) => places.has(tenant));
  const placeOf = ({ tenant }: StoredOffboarding): string => {
    const { cluster, database, schema } = places.get(tenant) as TenantRecord;
    return `${cluster}/${database}/${schema}`;
  };
  const sorted = left.toSorted((one, other) => placeOf(one).localeCompare(placeOf(other)));
  const byCluster = groupBy(sorted, ({ tenant }) => (places.get(tenant) as TenantRecord).cluster);
  return [...byCluster.values()].flatMap((group) => slices(group, TOGETHER));
}

/** Another call may have deleted it since the list was read. */
async function stillThere(connection: Connection, id: string): Promise<TenantRecord | undefined> {
  try {
    return await requireTenant(connection, id);
  } catch (error) {
    if (isTenantctlError(error) && error.code === 'TENANT_DELETED') return undefined;
    throw error;
  }
}

function slices<T>(list: readonly T[], size: number): T[][] {
  const count = Math.ceil(list.length / size);
  return Array.from({ length: count }, (_, n) => list.slice(n * size, (n + 1) * size));
}

/** Works on those that nobody else is working on. */
async function locked(
  fleet: Fleet,
  group: readonly StoredOffboarding[],
  work: (held: StoredOffboarding[]) => Promise<void>,
  result: RetentionResult,
): Promise<void> {
  const next = (connection: Connection, at: number, held: StoredOffboarding[]): Promise<void> => {
    const one = group[at];
    return one === undefined ? work(held) : lockOne(connection, one, at, held);
  };
  const lockOne = async (
    connection: Connection,
    one: StoredOffboarding,
    at: number,
    held: StoredOffboarding[],
  ) => {
    const done = await tryWithLock(connection, 'tenant', one.tenant, () =>
      next(connection, at + 1, [...held, one]),
    );
    if (done !== undefined) return;
    result.skipped.push({
      tenant: one.tenant,
      code: 'TENANT_LOCKED',
      reason: 'another process is working on it',
    });
    await next(connection, at + 1, held);
  };
  await fleet.catalogHeld((connection) => next(connection, 0, []));
}
