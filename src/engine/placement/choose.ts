import { conflictError } from '../../core/errors.js';
import type { ClusterSettings, FleetSettings, PlanSettings, PoolSettings } from '../../core/settings.js';
import type { Tier } from '../../core/tier.js';
import type { Occupancy } from '../catalog/places.js';

/** What a tenant's place must satisfy. */
export interface PlaceWish {
  tier: Tier;
  /** Do tenants of this tier live in pools? */
  inPool: boolean;
  plan: PlanSettings | null;
  cluster: string | null;
  pool: string | null;
}

export interface Place {
  cluster: ClusterSettings;
  pool: PoolSettings | null;
}

/** The places that fit a wish, before anyone asks which is emptiest. */
export function fittingPlaces(settings: FleetSettings, wish: PlaceWish): Place[] {
  const clusters = Object.values(settings.clusters).filter((cluster) => fitsCluster(cluster, wish));
  if (!wish.inPool) return clusters.map((cluster) => ({ cluster, pool: null }));
  const wanted = wish.pool ?? wish.plan?.pool ?? null;
  return clusters.flatMap((cluster) =>
    Object.values(cluster.pools)
      .filter((pool) => wanted === null || pool.name === wanted)
      .map((pool) => ({ cluster, pool })),
  );
}

/**
 * The emptiest of the fitting places; the first by name where several are equally empty.
 * @throws conflict `NO_PLACE` (exit 5) that repeats what was asked for
 */
export function choosePlace(
  settings: FleetSettings,
  wish: PlaceWish,
  occupancy: readonly Occupancy[],
): Place {
  const places = fittingPlaces(settings, wish);
  if (places.length === 0) throw noPlace(settings, wish);
  const load = new Map(places.map((place) => [place, tenantsIn(place, occupancy)]));
  return places.reduce((best, place) => ((load.get(place) ?? 0) < (load.get(best) ?? 0) ? place : best));
}

function fitsCluster(cluster: ClusterSettings, { plan, cluster: wanted }: PlaceWish): boolean {
  const name = wanted ?? plan?.cluster ?? null;
  if (name !== null && cluster.name !== name) return false;
  if (plan?.region && cluster.region !== plan.region) return false;
  return Object.entries(plan?.labels ?? {}).every(([label, value]) => cluster.labels[label] === value);
}

/** A pool is as full as it has tenants; a cluster as full as all of its places together. */
function tenantsIn({ cluster, pool }: Place, occupancy: readonly Occupancy[]): number {
  return occupancy
    .filter((row) => row.cluster === cluster.name && (pool === null || row.pool === pool.name))
    .reduce((sum, { tenants }) => sum + tenants, 0);
}

function noPlace(settings: FleetSettings, { tier, plan, cluster, pool }: PlaceWish) {
  const wishes = [
    `tier ${tier}`,
    ...(plan === null ? [] : [`plan ${plan.name}`]),
    ...(cluster === null ? [] : [`cluster ${cluster}`]),
    ...(pool === null ? [] : [`pool ${pool}`]),
    ...(plan?.region ? [`region ${plan.region}`] : []),
    ...Object.entries(plan?.labels ?? {}).map(([label, value]) => `label ${label}=${value}`),
  ];
  return conflictError('NO_PLACE', `No cluster of the configuration fits ${wishes.join(', ')}.`, {
    hint: `Clusters: ${Object.keys(settings.clusters).join(', ')}. Pools: ${poolNames(settings).join(', ') || 'none'}.`,
    facts: { tier, plan: plan?.name ?? null, cluster, pool },
  });
}

function poolNames(settings: FleetSettings): string[] {
  return Object.values(settings.clusters).flatMap(({ pools }) => Object.keys(pools));
}
