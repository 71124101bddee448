import { conflictError, internalError } from '../core/errors.js';
import type { ClusterSettings, PlanSettings, PoolSettings } from '../core/settings.js';
import { tenantKey } from '../core/tenant-key.js';
import type { TenantStatus } from '../core/tenant.js';
import type { MigrationUnit, UnitVersion } from '../core/unit.js';
import { auditInsert } from '../engine/catalog/audit.js';
import { hooksInsert } from '../engine/catalog/deliveries.js';
import {
  clusterUpsert,
  planUpsert,
  poolUpsert,
  unitUpsert,
  versionUpdate,
} from '../engine/catalog/places.js';
import {
  type TenantRecord,
  isKeyTaken,
  recorded,
  statusUpdate,
  tenantInserts,
} from '../engine/catalog/tenants.js';
import type { Fleet } from '../engine/context.js';
import { newestOf, readLedger } from '../engine/ledger/entries.js';
import type { Admission, Home } from '../engine/local/placements.js';
import type { HomeState } from '../engine/tiers/driver.js';
import { admissionIfOurs, roleTaken } from '../engine/tiers/place-taken.js';
import { driverOf } from '../engine/tiers/registry.js';
import type { Connection } from '../pg/connection.js';
import { sqlstateOf } from '../pg/errors.js';
import type { Sql } from '../pg/sql.js';
import type { Kit } from './kit.js';
import { type ProvisionRequest, limitsOf, wishOf } from './provision-plan.js';

/** A tenant that nobody has written down yet, with its place. */
export interface PlannedTenant {
  home: Home;
  unit: MigrationUnit;
  plan: PlanSettings | null;
  cluster: ClusterSettings;
  pool: PoolSettings | null;
  /** What is where it is to live. */
  seen: HomeState;
}

/** Why a tenant comes into being. */
interface Origin {
  action: 'tenant.provision' | 'tenant.restore';
  details?: Record<string, unknown>;
  restoredFrom?: string;
}

/**
 * Finds key and place for a new tenant. Both are looked at: what is in the catalog stays there, and a refusal must have
 * changed nothing.
 * @throws conflict `TENANT_KEY_TAKEN`, `PLACE_TAKEN`, `PLACE_HELD` or `HOME_LEFT` (exit 5)
 */
export async function planTenant(
  fleet: Fleet,
  connection: Connection,
  kit: Kit,
  request: ProvisionRequest,
): Promise<PlannedTenant> {
  const wish = wishOf(fleet.settings, request);
  const { cluster, pool } = await kit.choose(wish);
  const key = tenantKey(request.key, fleet.settings.tenancy.columnType, request.id);
  const driver = driverOf(wish.tier);
  const placement = driver.place(request.id, cluster, pool, fleet.settings.tenancy);
  const plan = wish.plan?.name ?? null;
  const { id, owner = null, labels = {} } = request;
  const limits = limitsOf(fleet.settings, plan);
  if (request.key !== undefined && (await isKeyTaken(connection, key))) throw keyTaken(id, key);
  const home: Home = { tenant: { id, key, plan, owner, labels, limits }, placement, epoch: 1 };
  const seen = await driver.inspect(fleet, home);
  const found = admissionIfOurs(home, seen);
  if (found !== undefined) assertServable(home, found);
  if (seen.state === 'absent' && seen.role === 'foreign') throw roleTaken(home);
  return { home, unit: driver.unit(id, placement), plan: wish.plan, cluster, pool, seen };
}

/**
 * Writes the tenant as `provisioning`, with its place and the intent in the audit log.
 * @returns the tenant as the catalog has it now
 */
export async function recordTenant(
  fleet: Fleet,
  connection: Connection,
  { home, unit, plan, cluster, pool }: PlannedTenant,
  { action, details, restoredFrom }: Origin,
): Promise<TenantRecord> {
  const { placement, tenant } = home;
  const { id, key, owner, labels } = tenant;
  await rememberPlaces(fleet, connection, plan, cluster, pool);
  const where = { tier: placement.tier, cluster: cluster.name, plan: tenant.plan };
  const origin = restoredFrom === undefined ? {} : { restoredFrom };
  const written = { id, key, plan: tenant.plan, owner, labels, placement, unit: unit.id, ...origin };
  const statements = [
    ...tenantInserts(written),
    unitUpsert(unit),
    auditInsert(fleet.actor, {
      action,
      phase: 'intent',
      tenant: id,
      unit: unit.id,
      details: { ...where, ...details },
    }),
  ];
  try {
    const [inserted] = await connection.atomically(statements);
    return recorded(written, inserted?.rows[0] ?? {});
  } catch (error) {
    throw sqlstateOf(error) === '23505' ? placeOrKeyTaken(id, key, error) : error;
  }
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

/** A home that its tenant has left, or is leaving, is not what is finished here. */
export function assertServable(home: Home, admission: Admission): void {
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

/**
 * Writes that the tenant is served, at which version, and which hooks it is owed.
 * @returns the tenant's status now
 */
export async function activateTenant(
  fleet: Fleet,
  connection: Connection,
  kit: Kit,
  home: Home,
  { action, details = {} }: Origin,
  { version, admission }: { version: UnitVersion | null; admission: Admission },
): Promise<TenantStatus> {
  const { id } = home.tenant;
  const unit = driverOf(home.placement.tier).unit(id, home.placement);
  await connection.atomically([
    statusUpdate(id, 'active'),
    // A home that was found closed stays closed, and the catalog says so.
    ...(admission === 'suspended' ? [statusUpdate(id, 'suspended')] : []),
    versionUpdate({ unit: unit.id, version }),
    ...(kit.hookNames.length === 0 ? [] : [hooksInsert(id, 'afterProvision', kit.hookNames)]),
    auditInsert(fleet.actor, { action, tenant: id, unit: unit.id, details }),
  ]);
  return admission === 'suspended' ? 'suspended' : 'active';
}

/** The newest migration that the unit of a home has. */
export async function readVersion(
  fleet: Fleet,
  { tenant, placement }: Pick<Home, 'tenant' | 'placement'>,
): Promise<UnitVersion | null> {
  const unit = driverOf(placement.tier).unit(tenant.id, placement);
  const ledger = await fleet.managed(unit.cluster, unit.database, (target) => readLedger(target, unit));
  const newest = newestOf(ledger);
  return newest === null ? null : { id: newest.id, name: newest.name };
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
