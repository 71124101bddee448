import { conflictError, internalError } from '../core/errors.js';
import type { ClusterSettings, PlanSettings, PoolSettings } from '../core/settings.js';
import { parseTenantId } from '../core/tenant.js';
import { tenantKey } from '../core/tenant-key.js';
import type { MigrationUnit, UnitVersion } from '../core/unit.js';
import { auditInsert } from '../engine/catalog/audit.js';
import { hooksInsert } from '../engine/catalog/deliveries.js';
import {
  clusterUpsert,
  planUpsert,
  poolUpsert,
  unitUpsert,
  versionsUpdate,
} from '../engine/catalog/places.js';
import {
  findTenant,
  isKeyTaken,
  requireTenant,
  statusUpdate,
  tenantInserts,
} from '../engine/catalog/tenants.js';
import type { Fleet } from '../engine/context.js';
import { newestOf, readLedger } from '../engine/ledger/entries.js';
import { migrationsFor } from '../engine/ledger/migration.js';
import type { Admission, Home } from '../engine/local/placements.js';
import { admissionIfOurs } from '../engine/tiers/place-taken.js';
import { driverOf } from '../engine/tiers/registry.js';
import type { Connection } from '../pg/connection.js';
import { tryWithLock, withLock } from '../pg/locks.js';
import { sqlstateOf } from '../pg/errors.js';
import type { Sql } from '../pg/sql.js';
import { homeOf, toTenant } from './home.js';
import { type Kit, kitFor } from './kit.js';
import { deliverHooks } from './deliver-hooks.js';
import type { Provisioned } from './provisioned.js';
import { type ProvisionRequest, assertSameRequest, limitsOf, wishOf } from './provision-plan.js';
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
  return withTenantLock(fleet, request.id, async (connection) => {
    const created = await provisionLocked(fleet, connection, kit, request);
    const tenant = toTenant(await requireTenant(connection, request.id));
    const outcome = { tenant, created, durationMs: Math.round(performance.now() - began) };
    // Under the lock as well, so that two calls at once do not both run a hook that is owed.
    await deliverHooks(fleet, outcome);
    return outcome;
  });
}

/** One process at a time works on a tenant; another one for the same id waits and then finds it done. */
async function withTenantLock<T>(
  fleet: Fleet,
  id: string,
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  return fleet.catalogHeld(async (connection) => {
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
  if (known !== undefined) assertSameRequest(known, request, fleet.settings.tenancy.columnType);
  if (known !== undefined && known.status !== 'provisioning') return false;
  const home =
    known === undefined
      ? await record(fleet, connection, kit, request)
      : homeOf(known, limitsOf(fleet.settings, known.plan));
  fleet.reach('provision.recorded');
  const admission = await makeHome(fleet, kit, home, known !== undefined);
  await activate(fleet, connection, kit, home, admission);
  fleet.reach('provision.activated');
  return true;
}

/**
 * Writes the tenant as `provisioning`, with its place and the intent in the audit log. Key and place are
 * looked at first: what is in the catalog stays there, and a refusal must have changed nothing.
 */
async function record(
  fleet: Fleet,
  connection: Connection,
  kit: Kit,
  request: ProvisionRequest,
): Promise<Home> {
  const wish = wishOf(fleet.settings, request);
  const { cluster, pool } = await kit.choose(wish);
  const key = tenantKey(request.key, fleet.settings.tenancy.columnType, request.id);
  const driver = driverOf(wish.tier);
  const placement = driver.place(request.id, cluster, pool, fleet.settings.tenancy);
  const unit = driver.unit(request.id, placement);
  const plan = wish.plan?.name ?? null;
  const { id, owner = null, labels = {} } = request;
  const limits = limitsOf(fleet.settings, plan);
  if (request.key !== undefined && (await isKeyTaken(connection, key))) throw keyTaken(id, key);
  const home: Home = { tenant: { id, key, plan, owner, labels, limits }, placement, epoch: 1 };
  const found = admissionIfOurs(home, await driver.inspect(fleet, home));
  if (found !== undefined) assertServable(home, found);
  await rememberPlaces(fleet, connection, wish.plan, cluster, pool);
  const details = { tier: wish.tier, cluster: cluster.name, plan };
  try {
    await connection.atomically([
      unitUpsert(unit),
      ...tenantInserts({ id, key, plan, owner, labels, placement, unit: unit.id }),
      auditInsert(fleet.actor, {
        action: 'tenant.provision',
        phase: 'intent',
        tenant: id,
        unit: unit.id,
        details,
      }),
    ]);
  } catch (error) {
    throw sqlstateOf(error) === '23505' ? placeOrKeyTaken(id, key, error) : error;
  }
  return home;
}

/** Clusters, pools and plans change rarely: once a process is enough. */
async function rememberPlaces(
  fleet: Fleet,
  connection: Connection,
  plan: PlanSettings | null,
  cluster: ClusterSettings,
  pool: PoolSettings | null,
): Promise<void> {
  const once = (name: string, statement: Sql): Promise<void> =>
    fleet.once(`known ${name}`, async () => {
      await connection.execute(statement);
    });
  await once(`cluster ${cluster.name}`, clusterUpsert(cluster));
  if (pool !== null) await once(`pool ${pool.name}`, poolUpsert(cluster.name, pool));
  if (plan !== null) await once(`plan ${plan.name}`, planUpsert(plan));
}

/** @returns how the home answers: `active`, or `suspended` when it was found so */
async function makeHome(fleet: Fleet, kit: Kit, home: Home, resumed: boolean): Promise<Admission> {
  const driver = driverOf(home.placement.tier);
  const admission = await driver.create(fleet, home, kit.migrations);
  assertServable(home, admission);
  // Plan, owner or labels may have been set since the home was begun.
  if (resumed) await driver.describe(fleet, home);
  fleet.reach('provision.migrated');
  // An open home was seeded in the transaction that opened it.
  if (admission === 'making') {
    await driver.admit(fleet, home, async (session) => {
      if (kit.seed !== null) await runSeed(session, kit.seed, home.tenant);
    });
  }
  fleet.reach('provision.seeded');
  return admission === 'making' ? 'active' : admission;
}

/** A home that its tenant has left, or is leaving, is not what `provision` finishes. */
function assertServable(home: Home, admission: Admission): void {
  if (admission !== 'moved' && admission !== 'moving') return;
  const { id } = home.tenant;
  const { database, cluster } = home.placement;
  throw conflictError(
    'HOME_LEFT',
    `Database ${database} of cluster ${cluster} says that tenant ${id} is ${admission}.`,
    {
      hint: 'Nothing was changed there. Name the cluster or pool where the tenant lives now.',
      facts: { tenant: id, cluster, database, state: admission },
    },
  );
}

async function activate(
  fleet: Fleet,
  connection: Connection,
  kit: Kit,
  home: Home,
  admission: Admission,
): Promise<void> {
  const { id } = home.tenant;
  const driver = driverOf(home.placement.tier);
  const unit = driver.unit(id, home.placement);
  const version = driver.facts.sharesUnit
    ? await readVersion(fleet, unit)
    : versionOf(migrationsFor(kit.migrations, driver.tier).at(-1));
  await connection.atomically([
    statusUpdate(id, 'active'),
    // A home that was found closed stays closed, and the catalog says so.
    ...(admission === 'suspended' ? [statusUpdate(id, 'suspended')] : []),
    versionsUpdate([{ unit: unit.id, version }]),
    ...(kit.hookNames.length === 0 ? [] : [hooksInsert(id, 'afterProvision', kit.hookNames)]),
    auditInsert(fleet.actor, { action: 'tenant.provision', tenant: id, unit: unit.id }),
  ]);
}

/** A home of its own was just brought to the newest migration; one that is shared is where it is. */
async function readVersion(fleet: Fleet, unit: MigrationUnit): Promise<UnitVersion | null> {
  const ledger = await fleet.managed(unit.cluster, unit.database, (target) => readLedger(target, unit));
  return versionOf(newestOf(ledger) ?? undefined);
}

function versionOf(migration: UnitVersion | undefined): UnitVersion | null {
  return migration === undefined ? null : { id: migration.id, name: migration.name };
}

function keyTaken(id: string, key: string) {
  return conflictError('TENANT_KEY_TAKEN', `The key ${key} belongs to another tenant than ${id}.`, {
    hint: 'Keys are unique in the fleet; give another one with --tenant-key.',
    facts: { tenant: id, key },
  });
}

function placeOrKeyTaken(id: string, key: string, cause: unknown) {
  const constraint = (cause as { constraint?: string }).constraint ?? '';
  if (constraint === 'tenants_key_key') return keyTaken(id, key);
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
