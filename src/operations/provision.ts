import { parseTenantId } from '../core/tenant.js';
import type { UnitVersion } from '../core/unit.js';
import { type TenantRecord, findTenant, tenantLookup } from '../engine/catalog/tenants.js';
import type { Fleet } from '../engine/context.js';
import { migrationsFor } from '../engine/ledger/migration.js';
import type { Admission, Home } from '../engine/local/placements.js';
import { driverOf } from '../engine/tiers/registry.js';
import type { HomeState } from '../engine/tiers/driver.js';
import type { Connection } from '../pg/connection.js';
import { tryWithLockAsking, withLock } from '../pg/locks.js';
import { activateTenant, assertServable, planTenant, readVersion, recordTenant } from './catalog-tenant.js';
import { homeOf, toTenant } from './home.js';
import { type Kit, kitFor } from './kit.js';
import { deliverHooks } from './deliver-hooks.js';
import type { Provisioned } from './provisioned.js';
import { type ProvisionRequest, assertNotRestoring, assertSameRequest } from './provision-plan.js';
import { provisionSteps } from './provision-steps.js';
import { runSeed } from './seed.js';

export type { ProvisionRequest } from './provision-plan.js';
export type { Provisioned } from './provisioned.js';

export interface ProvisionPreview {
  plan: { steps: string[] };
}

export type ProvisionResult = Provisioned | ProvisionPreview;

/**
 * Makes a ready tenant, or finishes one that a crash left half made. The catalog says `provisioning`
 * before anything exists and `active` only when the home is migrated, seeded and open, so that every
 * crash in between is repaired by the same call.
 *
 * @throws usage error (exit 2) for a bad id or key · configuration error (exit 3) · conflict (exit 5)
 *   when the id or the place is taken · partial error (exit 7) when migrations, seed or a hook failed
 */
export async function provision(
  fleet: Fleet,
  request: ProvisionRequest,
  options: { dryRun: boolean },
): Promise<ProvisionResult> {
  parseTenantId(request.id);
  if (options.dryRun) return { plan: { steps: await provisionSteps(fleet, request) } };
  return provisionTenant(fleet, request);
}

/** `provision` without a dry run. */
export async function provisionTenant(fleet: Fleet, request: ProvisionRequest): Promise<Provisioned> {
  const began = performance.now();
  parseTenantId(request.id);
  const kit = await kitFor(fleet, request);
  return withTenantLock(fleet, request.id, async (connection, known) => {
    const { record, created } = await provisionLocked(fleet, connection, kit, request, known);
    const durationMs = Math.round(performance.now() - began);
    const outcome = { tenant: toTenant(record), created, durationMs };
    // Under the lock as well, so that two calls at once do not both run a hook that is owed.
    await deliverHooks(fleet, outcome);
    return outcome;
  });
}

/**
 * One process at a time works on a tenant; another one for the same id waits and then finds it done.
 * @param work is given the tenant, if the catalog knows one
 */
async function withTenantLock<T>(
  fleet: Fleet,
  id: string,
  work: (connection: Connection, known: TenantRecord | undefined) => Promise<T>,
): Promise<T> {
  return fleet.catalogHeld(async (connection) => {
    const first = await tryWithLockAsking(connection, 'tenant', id, tenantLookup(id), async ([there]) =>
      work(connection, there === undefined ? undefined : await findTenant(connection, id)),
    );
    if (first !== undefined) return first.value;
    fleet.emit({
      type: 'notice',
      level: 'info',
      code: 'TENANT_LOCKED',
      message: `tenant ${id} is being worked on by another process; waiting for it`,
    });
    return withLock(connection, 'tenant', id, async () => work(connection, await findTenant(connection, id)));
  });
}

async function provisionLocked(
  fleet: Fleet,
  connection: Connection,
  kit: Kit,
  request: ProvisionRequest,
  known: TenantRecord | undefined,
): Promise<{ record: TenantRecord; created: boolean }> {
  if (known !== undefined) assertSameRequest(known, request, fleet.settings.tenancy.columnType);
  if (known !== undefined && known.status !== 'provisioning') return { record: known, created: false };
  if (known !== undefined) assertNotRestoring(known);
  const begun = known === undefined ? await begin(fleet, connection, kit, request) : goOn(fleet, known);
  const { home } = begun;
  const [written, made] = await Promise.allSettled([begun.record, makeHome(fleet, kit, begun)]);
  const record = valueOf(written);
  const admission = valueOf(made);
  const version = await versionOf(fleet, kit, home);
  const status = await activateTenant(fleet, connection, kit, home, PROVISION, { version, admission });
  fleet.reach('provision.activated');
  return { record: { ...record, status, version }, created: true };
}

const PROVISION = { action: 'tenant.provision' } as const;

/** A tenant that is to be made. */
interface Begun {
  home: Home;
  /** Comes true when the catalog has the tenant as `provisioning`. The work on the home goes on meanwhile, but for its COMMIT. */
  record: Promise<TenantRecord>;
  /** What was where its home is to be, if it was looked at just now; not for a tenant that a crash left half made. */
  seen?: HomeState;
}

async function begin(
  fleet: Fleet,
  connection: Connection,
  kit: Kit,
  request: ProvisionRequest,
): Promise<Begun> {
  const planned = await planTenant(fleet, connection, kit, request);
  const record = recordTenant(fleet, connection, planned, PROVISION);
  return { home: planned.home, record: reaching(fleet, record), seen: planned.seen };
}

function goOn(fleet: Fleet, known: TenantRecord): Begun {
  return { home: homeOf(fleet, known), record: reaching(fleet, Promise.resolve(known)) };
}

async function reaching(fleet: Fleet, record: Promise<TenantRecord>): Promise<TenantRecord> {
  const value = await record;
  fleet.reach('provision.recorded');
  return value;
}

/** @returns how the home answers: `active`, or `suspended` when it was found so */
async function makeHome(fleet: Fleet, kit: Kit, { home, record, seen }: Begun): Promise<Admission> {
  const driver = driverOf(home.placement.tier);
  const { seed } = kit;
  const admission = await driver.create(fleet, home, kit.migrations, {
    seen,
    ready: seed === null,
    until: record,
  });
  assertServable(home, admission);
  // Plan, owner or labels may have been set since the home was begun.
  if (seen === undefined) await driver.describe(fleet, home);
  fleet.reach('provision.migrated');
  // An open home was seeded in the transaction that opened it, if there is a seed.
  if (admission === 'making') {
    const prepare = seed === null ? undefined : (session: Connection) => runSeed(session, seed, home.tenant);
    await driver.admit(fleet, home, prepare);
  }
  fleet.reach('provision.seeded');
  return admission === 'making' ? 'active' : admission;
}

function valueOf<T>(outcome: PromiseSettledResult<T>): T {
  if (outcome.status === 'rejected') throw outcome.reason;
  return outcome.value;
}

/** The newest migration of a home of its own, which was just brought there; one that is shared is where it is. */
function versionOf(fleet: Fleet, kit: Kit, home: Home): Promise<UnitVersion | null> | UnitVersion | null {
  const driver = driverOf(home.placement.tier);
  if (driver.facts.sharesUnit) return readVersion(fleet, home);
  const newest = migrationsFor(kit.migrations, driver.tier).at(-1);
  return newest === undefined ? null : { id: newest.id, name: newest.name };
}
