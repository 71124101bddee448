import type { Finding } from '../../core/finding.js';
import type { PoolRules } from '../../core/pool-rules.js';

/** A pool whose tables, but for those that are listed, are left as they are. */
interface ObservedPool {
  name: string;
  schema: string;
  rules: PoolRules;
}

/**
 * What is found in a pool that only observes is no error: it was so before this tool looked, and whoever adopts a pool
 * decides when it ends. Tables that are listed under `enforce` are judged like any other.
 * @param place the database, as findings name it: `main/app_shared`
 */
export function asObserved(
  place: string,
  pools: readonly ObservedPool[],
  findings: readonly Finding[],
): Finding[] {
  const observing = pools.filter(({ rules }) => rules.mode === 'observe');
  return findings.map((finding) => {
    const pool = observing.find((one) => isWithin(finding, place, one));
    if (pool === undefined || finding.level !== 'error') return finding;
    const facts = { ...finding.facts, observed: pool.name };
    return { ...finding, level: 'warning', facts };
  });
}

function isWithin({ where }: Finding, place: string, { schema, rules }: ObservedPool): boolean {
  const inside = `${place}.${schema}.`;
  if (!where.startsWith(inside)) return false;
  const object = where.slice(inside.length);
  return !rules.enforce.some((name) => object === name || object.startsWith(`${name},`));
}
