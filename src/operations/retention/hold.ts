import { randomUUID } from 'node:crypto';
import { conflictError, usageError } from '../../core/errors.js';
import type { LegalHold } from '../../core/offboarding.js';
import { parseTenantId } from '../../core/tenant.js';
import { auditInsert } from '../../engine/catalog/audit.js';
import {
  holdInsert,
  holdRelease,
  lockTenant,
  standingHoldOf,
  standingHoldsOf,
  unknownHolds,
} from '../../engine/catalog/legal-holds.js';
import { openOffboardingOf } from '../../engine/catalog/offboardings.js';
import { type TenantRecord, requireTenant } from '../../engine/catalog/tenants.js';
import type { Fleet } from '../../engine/context.js';
import { type Home, holdUpdate, readHolds } from '../../engine/local/placements.js';
import type { Connection } from '../../pg/connection.js';
import { NO_SUCH_DATABASE, sqlstateOf } from '../../pg/errors.js';
import { raw } from '../../pg/sql.js';
import { homeOf } from '../home.js';

/** The holds that stand on a tenant after a change. */
export interface HoldResult {
  tenant: string;
  held: LegalHold[];
  /** Whether rows were deleted before the hold came, which it cannot bring back. */
  deletionBegun: boolean;
}

/**
 * Places a legal hold: from its commit on nothing of the tenant is deleted, by whomever. It does not wait for a deletion
 * that is at work, which stops at its next batch. The same hold again: no change.
 *
 * @throws usage error `REASON_MISSING` (exit 2) · conflict `TENANT_UNKNOWN` or `TENANT_DELETED` (exit 5)
 */
export async function placeHold(fleet: Fleet, id: string, options: { dryRun: boolean }): Promise<HoldResult> {
  parseTenantId(id);
  const { actor, reason } = fleet.actor;
  if (reason === null) throw reasonMissing('hold', id);
  return fleet.catalog(async (connection) => {
    const record = await requireTenant(connection, id);
    const standing = await standingHoldsOf(connection, id);
    const same = standing.some((hold) => hold.author === actor && hold.reason === reason);
    if (!options.dryRun && !same) {
      const hold = randomUUID();
      await connection.atomically([
        holdInsert({ hold, tenant: id, reason, author: actor }),
        auditInsert(fleet.actor, { action: 'hold.place', phase: 'intent', tenant: id, details: { hold } }),
      ]);
      fleet.reach('hold.recorded');
    }
    return settle(fleet, connection, record, 'hold.place', options);
  });
}

/**
 * Releases every hold that stands on a tenant. Again: no change.
 * @throws usage error `REASON_MISSING` (exit 2) · conflict `TENANT_UNKNOWN`, or `HOLD_UNKNOWN` when its home knows a hold
 *   that is not in the catalog (exit 5)
 */
export async function releaseHold(
  fleet: Fleet,
  id: string,
  options: { dryRun: boolean },
): Promise<HoldResult> {
  parseTenantId(id);
  const { actor, reason } = fleet.actor;
  if (reason === null) throw reasonMissing('release', id);
  return fleet.catalog(async (connection) => {
    const record = await requireTenant(connection, id);
    await assertHoldsKnown(fleet, homeOf(fleet, record));
    if (options.dryRun) return settle(fleet, connection, record, 'hold.release', options);
    for (const { hold } of await standingHoldsOf(connection, id))
      await connection.atomically([
        holdRelease(hold, actor, reason),
        auditInsert(fleet.actor, { action: 'hold.release', phase: 'intent', tenant: id, details: { hold } }),
      ]);
    fleet.reach('hold.recorded');
    return settle(fleet, connection, record, 'hold.release', options);
  });
}

/**
 * Whoever has placed a hold that a restored catalog has lost has not released it.
 * @throws conflict `HOLD_UNKNOWN` (exit 5)
 */
export async function assertHoldsKnown(fleet: Fleet, home: Home): Promise<void> {
  const { id } = home.tenant;
  const local = await atHome(fleet, home, [], readHolds);
  const unknown = await fleet.catalog((connection) => unknownHolds(connection, local));
  if (unknown.length === 0) return;
  throw conflictError(
    'HOLD_UNKNOWN',
    `The home of tenant ${id} knows a legal hold of which the catalog knows nothing: the catalog may be an old copy.`,
    {
      hint: `Find out who has placed it, then place it again and release that: \`tenantctl retention hold ${id} --reason "<why>"\`.`,
      facts: { tenant: id, holds: unknown },
    },
  );
}

/**
 * The home is told what the catalog says, while nothing there is changed: of two calls at once the later one tells the
 * whole. A crash before that leaves the hold standing in one of the two, which is enough.
 */
async function settle(
  fleet: Fleet,
  connection: Connection,
  record: TenantRecord,
  action: 'hold.place' | 'hold.release',
  { dryRun }: { dryRun: boolean },
): Promise<HoldResult> {
  const told = dryRun ? false : await tellWhatStands(fleet, record.id);
  const held = await standingHoldsOf(connection, record.id);
  if (told) {
    fleet.reach('hold.placed');
    await connection.atomically([
      auditInsert(fleet.actor, {
        action,
        tenant: record.id,
        details: { holds: held.map(({ hold }) => hold) },
      }),
    ]);
  }
  const offboarding = await openOffboardingOf(connection, record.id);
  return {
    tenant: record.id,
    held,
    deletionBegun: offboarding !== undefined && offboarding.begunAt !== null,
  };
}

/**
 * Lets a home know which holds stand on its tenant, so that a deletion there meets them in its own transaction; meanwhile
 * none is placed or released.
 * @returns whether that was news
 */
export async function tellWhatStands(fleet: Fleet, tenant: string): Promise<boolean> {
  return fleet.catalogTransaction(async (connection) => {
    // A batch that is being deleted there is waited for.
    await connection.execute(raw('set local idle_in_transaction_session_timeout = 0'));
    await lockTenant(connection, tenant);
    const record = await requireTenant(connection, tenant);
    const home = homeOf(fleet, record);
    return tell(fleet, home, await standingHoldsOf(connection, tenant));
  });
}

/** A hold goes with its tenant to a new home. */
export async function carryHolds(fleet: Fleet, home: Home): Promise<void> {
  const held = await fleet.catalog((connection) => standingHoldsOf(connection, home.tenant.id));
  await tell(fleet, home, held);
}

async function tell(fleet: Fleet, home: Home, held: readonly LegalHold[]): Promise<boolean> {
  const changed = await atHome(fleet, home, 0, (session) => session.execute(holdUpdate(home, held)));
  return changed > 0;
}

/** A database that is gone has nothing left that a hold could keep. */
async function atHome<T>(
  fleet: Fleet,
  home: Home,
  gone: T,
  work: (session: Connection, home: Home) => Promise<T>,
): Promise<T> {
  const { cluster, database } = home.placement;
  try {
    return await fleet.managed(cluster, database, (session) => work(session, home));
  } catch (error) {
    if (sqlstateOf((error as Error).cause) === NO_SUCH_DATABASE) return gone;
    throw error;
  }
}

/**
 * Runs `work` while no hold can be placed on a tenant: whoever wants to waits until it is through. So does whatever else
 * locks the tenant in the catalog, an offboarding's own steps among it: `work` takes none.
 * @throws conflict `TENANT_ON_HOLD` (exit 5) without calling it
 */
export async function whileNotHeld<T>(fleet: Fleet, id: string, work: () => Promise<T>): Promise<T> {
  return fleet.catalogTransaction(async (connection) => {
    // Whatever is deleted meanwhile may take its time.
    await connection.execute(raw('set local idle_in_transaction_session_timeout = 0'));
    await lockTenant(connection, id);
    const hold = await standingHoldOf(connection, id);
    if (hold !== undefined) throw onHold(hold);
    return work();
  });
}

/** @throws conflict `TENANT_ON_HOLD` (exit 5) */
export async function assertNotHeld(fleet: Fleet, id: string): Promise<void> {
  const hold = await fleet.catalog((connection) => standingHoldOf(connection, id));
  if (hold !== undefined) throw onHold(hold);
}

/** The refusal to delete anything of a tenant that is on hold. Why it is, is not for every log that this is written to. */
export function onHold({ hold, tenant, author, placedAt }: LegalHold) {
  return conflictError(
    'TENANT_ON_HOLD',
    `Tenant ${tenant} is on hold since ${placedAt} by ${author}. Nothing of it is deleted.`,
    {
      hint: `\`tenantctl retention list\` says why; \`tenantctl retention release ${tenant} --reason …\` ends the hold.`,
      facts: { tenant, hold, author, placedAt },
    },
  );
}

function reasonMissing(verb: 'hold' | 'release', id: string) {
  return usageError(
    'REASON_MISSING',
    `A hold is not ${verb === 'hold' ? 'placed' : 'released'} without a reason.`,
    {
      hint: `tenantctl retention ${verb} ${id} --reason "case 2026-17" --actor legal@example.org`,
      facts: { option: '--reason' },
    },
  );
}
