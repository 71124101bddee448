import { conflictError, internalError } from '../core/errors.js';
import { type Tenant, assertTransition, parseTenantId } from '../core/tenant.js';
import { tenantKey } from '../core/tenant-key.js';
import { writeAudit } from '../engine/catalog/audit.js';
import { oweHooks } from '../engine/catalog/deliveries.js';
import {
  rememberCluster,
  rememberPlan,
  rememberPool,
  rememberUnit,
  writeVersions,
} from '../engine/catalog/places.js';
import {
  type TenantRecord,
  findTenant,
  insertTenant,
  requireTenant,
  setStatus,
} from '../engine/catalog/tenants.js';
import type { Fleet } from '../engine/context.js';
import { newestOf, readLedger } from '../engine/ledger/entries.js';
import type { Home } from '../engine/local/placements.js';
import { driverOf } from '../engine/tiers/registry.js';
import type { Connection } from '../pg/connection.js';
import { tryWithLock, withLock } from '../pg/locks.js';
import { sqlstateOf } from '../pg/errors.js';
import { homeOf, toTenant } from './home.js';
import { type Kit, prepareKit } from './kit.js';
import { deliverHooks } from './deliver-hooks.js';
import { type ProvisionRequest, assertSameRequest, limitsOf, wishOf } from './provision-plan.js';
import { provisionSteps } from './provision-steps.js';
import { readSeed, runSeed } from './seed.js';

export type { ProvisionRequest } from './provision-plan.js';

export interface Provisioned {
  tenant: Tenant;
  /** False when the tenant was there before this call. */
  created: boolean;
  durationMs: number;
}

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
  const kit = await prepareKit(fleet);
  const created = await withTenantLock(fleet, request.id, (connection) =>
    provisionLocked(fleet, connection, kit, request),
  );
  const tenant = await fleet.catalog(async (connection) =>
    toTenant(await requireTenant(connection, request.id)),
  );
  const outcome = { tenant, created, durationMs: Math.round(performance.now() - began) };
  await deliverHooks(fleet, outcome);
  return outcome;
}

/** One process at a time works on a tenant; another one for the same id waits and then finds it done. */
async function withTenantLock<T>(
  fleet: Fleet,
  id: string,
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  return fleet.catalog(async (connection) => {
    const first = await tryWithLock(connection, 'tenant', id, () => work(connection));
    if (first !== undefined) return first.value;
    fleet.emit({
      type: 'notice',
      level: 'info',
      code: 'TENANT_LOCKED',
      message: `tenant ${id} is being worked on by another process; waiting for it`,
    });
    return withLock(connection, 'tenant', id, () => work(connection));
  });
}

async function provisionLocked(
  fleet: Fleet,
  connection: Connection,
  kit: Kit,
  request: ProvisionRequest,
): Promise<boolean> {
  const known = await findTenant(connection, request.id);
  if (known !== undefined) assertSameRequest(known, request);
  if (known !== undefined && known.status !== 'provisioning') return false;
  const tenant = known ?? (await record(fleet, connection, kit, request));
  fleet.reach('provision.recorded');
  const home = homeOf(tenant, limitsOf(fleet.settings, tenant.plan));
  await makeHome(fleet, kit, home, request);
  await activate(fleet, connection, kit, home);
  fleet.reach('provision.activated');
  return true;
}

/** Writes the tenant as `provisioning`, with its place and the intent in the audit log. */
async function record(
  fleet: Fleet,
  connection: Connection,
  kit: Kit,
  request: ProvisionRequest,
): Promise<TenantRecord> {
  const wish = wishOf(fleet.settings, request);
  const { cluster, pool } = await kit.choose(wish);
  const key = tenantKey(request.key, fleet.settings.tenancy.columnType, request.id);
  const driver = driverOf(wish.tier);
  const placement = driver.place(request.id, cluster, pool, fleet.settings.tenancy);
  const unit = driver.unit(request.id, placement);
  await rememberPlaces(fleet, connection, wish.plan?.name ?? null, cluster.name, pool?.name ?? null);
  try {
    await connection.transaction(async () => {
      await rememberUnit(connection, unit);
      await insertTenant(connection, {
        id: request.id,
        key,
        plan: wish.plan?.name ?? null,
        owner: request.owner ?? null,
        labels: request.labels ?? {},
        placement,
        unit: unit.id,
      });
      await writeAudit(connection, fleet.actor, {
        action: 'tenant.provision',
        phase: 'intent',
        tenant: request.id,
        unit: unit.id,
        details: { tier: wish.tier, cluster: cluster.name, plan: wish.plan?.name ?? null },
      });
    });
  } catch (error) {
    throw sqlstateOf(error) === '23505' ? placeOrKeyTaken(request.id, key, error) : error;
  }
  return requireTenant(connection, request.id);
}

/** Clusters, pools and plans change rarely: once a process is enough. */
async function rememberPlaces(
  fleet: Fleet,
  connection: Connection,
  plan: string | null,
  clusterName: string,
  poolName: string | null,
): Promise<void> {
  const cluster = fleet.cluster(clusterName);
  const pool = poolName === null ? undefined : cluster.pools[poolName];
  const planSettings = plan === null ? undefined : fleet.settings.plans[plan];
  await fleet.once(`known cluster ${clusterName}`, () => rememberCluster(connection, cluster));
  if (pool !== undefined)
    await fleet.once(`known pool ${pool.name}`, () => rememberPool(connection, clusterName, pool));
  if (planSettings !== undefined)
    await fleet.once(`known plan ${plan}`, () => rememberPlan(connection, planSettings));
}

async function makeHome(fleet: Fleet, kit: Kit, home: Home, request: ProvisionRequest): Promise<void> {
  const driver = driverOf(home.placement.tier);
  const seed = request.seed === undefined ? kit.seed : await readSeed(request.seed);
  const admission = await driver.create(fleet, home, kit.migrations);
  fleet.reach('provision.migrated');
  // An open home was seeded in the transaction that opened it.
  if (admission === 'making') {
    await driver.admit(fleet, home, async (session) => {
      if (seed !== null) await runSeed(session, seed, home.tenant);
    });
  }
  fleet.reach('provision.seeded');
}

async function activate(fleet: Fleet, connection: Connection, kit: Kit, home: Home): Promise<void> {
  const { id } = home.tenant;
  const unit = driverOf(home.placement.tier).unit(id, home.placement);
  const ledger = await fleet.managed(unit.cluster, unit.database, (target) => readLedger(target, unit));
  const newest = newestOf(ledger);
  assertTransition(id, 'provisioning', 'active');
  await connection.transaction(async () => {
    await setStatus(connection, id, 'active');
    await writeVersions(connection, [
      { unit: unit.id, version: newest === null ? null : { id: newest.id, name: newest.name } },
    ]);
    await oweHooks(connection, id, 'afterProvision', kit.hookNames);
    await writeAudit(connection, fleet.actor, { action: 'tenant.provision', tenant: id, unit: unit.id });
  });
}

function placeOrKeyTaken(id: string, key: string, cause: unknown) {
  const constraint = (cause as { constraint?: string }).constraint ?? '';
  if (constraint === 'tenants_key_key') {
    return conflictError('TENANT_KEY_TAKEN', `The key ${key} belongs to another tenant than ${id}.`, {
      hint: 'Keys are unique in the fleet; give another one with --tenant-key.',
      facts: { tenant: id, key },
    });
  }
  if (constraint.startsWith('placements_')) {
    return conflictError('PLACE_TAKEN', `Another tenant already lives where ${id} would.`, {
      hint: 'Check tenancy.names: two ids give the same name.',
      facts: { tenant: id },
    });
  }
  return internalError('CATALOG_CLASH', `Tenant ${id} could not be written to the catalog: ${constraint}.`, {
    cause,
  });
}
