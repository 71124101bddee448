import { allPools, entriesAt, mappingAt, notConfigured } from './places.js';
import type { Problem } from './problems.js';
import { getAt, type Mapping, type Path } from './tree.js';

/** Whether each plan's home exists: its cluster, its pool, and some cluster with what it asks for. */
export function planChecks(input: unknown): Problem[] {
  return entriesAt(input, ['plans']).flatMap(([name, plan]) => checkPlan(input, ['plans', name], plan));
}

function checkPlan(input: unknown, path: Path, plan: unknown): Problem[] {
  const clusters = mappingAt(input, ['clusters']);
  const named = getAt(plan, ['cluster']);
  if (typeof named === 'string' && !Object.hasOwn(clusters, named)) {
    return [{ path: [...path, 'cluster'], message: notConfigured('cluster', Object.keys(clusters)) }];
  }
  const homes = Object.entries(clusters).filter(([name]) => typeof named !== 'string' || name === named);
  const poolProblem = checkPool(input, plan, new Set(homes.map(([name]) => name)));
  if (poolProblem !== undefined) return [{ path: [...path, 'pool'], message: poolProblem }];
  const wanted = wishes(plan);
  // A fleet without clusters, known by its catalog alone, is judged by no plan.
  if (wanted.length === 0 || homes.length === 0 || homes.some(([, cluster]) => fits(cluster, plan)))
    return [];
  return [{ path, message: `asks for ${wanted.join(' and ')}, which ${homeText(named)}` }];
}

function checkPool(input: unknown, plan: unknown, homes: ReadonlySet<string>): string | undefined {
  const named = getAt(plan, ['pool']);
  if (named === undefined) return undefined;
  if (getAt(plan, ['tier']) !== 'pool') return 'belongs to plans with `tier: pool` only';
  const pools = allPools(input).filter((pool) => homes.has(pool.cluster));
  if (typeof named !== 'string' || pools.some((pool) => pool.name === named)) return undefined;
  return notConfigured(
    getAt(plan, ['cluster']) === undefined ? 'pool' : 'pool of that cluster',
    pools.map((pool) => pool.name),
  );
}

const homeText = (named: unknown) =>
  typeof named === 'string' ? 'its cluster does not have' : 'no cluster has';

function fits(cluster: unknown, plan: unknown): boolean {
  const pools: Mapping = mappingAt(cluster, ['pools']);
  const pool = getAt(plan, ['pool']);
  const region = getAt(plan, ['region']);
  const labels = entriesAt(plan, ['labels']);
  return (
    (getAt(plan, ['tier']) !== 'pool' || Object.keys(pools).length > 0) &&
    (typeof pool !== 'string' || Object.hasOwn(pools, pool)) &&
    (region === undefined || getAt(cluster, ['region']) === region) &&
    labels.every(([key, value]) => getAt(cluster, ['labels', key]) === value)
  );
}

/** What the plan asks of a cluster, in words for the message. */
function wishes(plan: unknown): string[] {
  const region = getAt(plan, ['region']) === undefined ? [] : ['its region'];
  const pool = getAt(plan, ['tier']) === 'pool' ? ['a pool'] : [];
  return [...pool, ...region, ...entriesAt(plan, ['labels']).map(([key]) => `label ${key}`)];
}
