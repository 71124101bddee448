import { conflictError, configError } from '../core/errors.js';
import { NO_LIMITS, type FleetSettings, type PlanLimits, type PlanSettings } from '../core/settings.js';
import type { Tier } from '../core/tier.js';
import { type PlaceWish } from '../engine/placement/choose.js';
import type { TenantRecord } from '../engine/catalog/tenants.js';
import { driverOf } from '../engine/tiers/registry.js';

/** What a caller wants provisioned. Everything but the id has a default. */
export interface ProvisionRequest {
  id: string;
  plan?: string;
  tier?: Tier;
  cluster?: string;
  pool?: string;
  /** The value of the tenant column; a new uuid when left out. */
  key?: string;
  owner?: string;
  labels?: Record<string, string>;
  /** A SQL file instead of the configured seed. */
  seed?: string;
}

/**
 * What a request asks for in terms of the configuration.
 * @throws configuration error `PLAN_UNKNOWN` (exit 3) · usage-like conflict `TIER_UNDECIDED` (exit 5)
 */
export function wishOf(settings: FleetSettings, request: ProvisionRequest): PlaceWish {
  const plan = planOf(settings, request.plan);
  const tier = request.tier ?? plan?.tier;
  if (tier === undefined) throw tierUndecided(settings, request.id);
  if (plan !== null && plan.tier !== tier) throw tierDiffers(request.id, plan, tier);
  return {
    tier,
    inPool: driverOf(tier).facts.sharesUnit,
    plan,
    cluster: request.cluster ?? null,
    pool: request.pool ?? null,
  };
}

/** @throws configuration error `PLAN_UNKNOWN` (exit 3) that lists the plans there are */
export function planOf(settings: FleetSettings, name: string | undefined | null): PlanSettings | null {
  if (name === undefined || name === null) return null;
  const plan = settings.plans[name];
  if (plan !== undefined) return plan;
  const known = Object.keys(settings.plans);
  throw configError('PLAN_UNKNOWN', `The configuration has no plan "${name}".`, {
    hint: known.length === 0 ? 'It has no plans at all: use --tier.' : `Plans: ${known.join(', ')}.`,
    facts: { plan: name },
  });
}

/** The limits of a stored plan; a plan that has left the configuration limits nothing. */
export function limitsOf(settings: FleetSettings, plan: string | null): PlanLimits {
  return (plan === null ? undefined : settings.plans[plan])?.limits ?? NO_LIMITS;
}

/**
 * The same call again is answered; a different one is not.
 * @throws conflict `TENANT_DIFFERS` or `TENANT_DELETED` (exit 5) naming what differs
 */
export function assertSameRequest(
  existing: TenantRecord,
  request: ProvisionRequest,
  columnType: string,
): void {
  if (existing.status === 'deleted' || existing.status === 'offboarding') throw gone(existing);
  const differences = [
    difference('tier', existing.tier, request.tier),
    difference('plan', existing.plan, request.plan),
    difference('cluster', existing.cluster, request.cluster),
    difference('pool', existing.pool, request.pool),
    difference('key', existing.key, columnType === 'uuid' ? request.key?.toLowerCase() : request.key),
    difference('owner', existing.owner, request.owner),
  ].filter((found) => found !== null);
  if (differences.length === 0) return;
  throw conflictError(
    'TENANT_DIFFERS',
    `Tenant ${existing.id} is there already, but ${differences.join(', ')}.`,
    {
      hint: 'Nothing was changed. `tenantctl set` changes labels, owner and plan; `tenantctl promote` changes the tier.',
      facts: { tenant: existing.id, status: existing.status },
    },
  );
}

/**
 * A home that is being filled from an export gets neither seed nor tenant before every row is there.
 * @throws conflict `TENANT_RESTORING` (exit 5)
 */
export function assertNotRestoring({ id, restoredFrom }: TenantRecord): void {
  if (restoredFrom === null) return;
  throw conflictError('TENANT_RESTORING', `Tenant ${id} is being restored from an export.`, {
    hint: `Finish it with the same export: \`tenantctl restore <folder> --as ${id}\`; its manifest.json has sha256 ${restoredFrom}.`,
    facts: { tenant: id, restoredFrom },
  });
}

function difference(what: string, is: string | null, asked: string | undefined): string | null {
  if (asked === undefined || is === asked) return null;
  return `its ${what} is ${is ?? 'not set'}, not ${asked}`;
}

function gone({ id, status }: TenantRecord) {
  return conflictError('TENANT_GONE', `Tenant ${id} is ${status}; an id is never used again.`, {
    hint:
      status === 'deleted' ? 'Choose another id.' : `\`tenantctl offboard ${id} --cancel\` brings it back.`,
    facts: { tenant: id, status },
  });
}

function tierUndecided(settings: FleetSettings, id: string) {
  const plans = Object.keys(settings.plans);
  return conflictError('TIER_UNDECIDED', `Nothing says in which tier tenant ${id} shall live.`, {
    hint:
      plans.length === 0
        ? 'Add --tier pool, schema or database.'
        : `Add --plan (${plans.join(', ')}) or --tier.`,
    facts: { tenant: id },
  });
}

function tierDiffers(id: string, plan: PlanSettings, tier: Tier) {
  return conflictError(
    'TIER_DIFFERS',
    `Plan ${plan.name} is for tier ${plan.tier}, but tenant ${id} is asked for in tier ${tier}.`,
    {
      hint: 'Leave out --tier, or choose another plan.',
      facts: { tenant: id, plan: plan.name, tier },
    },
  );
}
