import { planChecks } from './plan-checks.js';
import { allPools, entriesAt, itemsAt, mappingAt, notConfigured } from './places.js';
import type { Problem } from './problems.js';
import { formatPath, getAt, type Path } from './tree.js';

/**
 * Rules between settings. They read the input and not the checked values, so that they are reported
 * together with wrong types; whatever has the wrong type is passed over here.
 */
export function crossChecks(input: unknown): Problem[] {
  return [
    ...reservedNames(input),
    ...localClusters(input),
    ...rivalPools(input),
    ...planChecks(input),
    ...backupClusters(input),
    ...repeatedNames(input, ['rollout', 'waves']),
    ...repeatedNames(input, ['backups']),
  ];
}

/** zod passes over this key in silence, and what was declared under it would be missing. */
function reservedNames(input: unknown): Problem[] {
  const clusters = Object.keys(mappingAt(input, ['clusters'])).map((name) => ['clusters', name]);
  const places = [
    ['clusters'],
    ['plans'],
    ...clusters.flatMap((path) => [
      [...path, 'pools'],
      [...path, 'labels'],
    ]),
  ];
  return places
    .filter((place) => Object.hasOwn(mappingAt(input, place), '__proto__'))
    .map((place) => ({ path: [...place, '__proto__'], message: 'is not a name that can be used' }));
}

function localClusters(input: unknown): Problem[] {
  if (getAt(input, ['catalog']) === 'local') return [];
  return entriesAt(input, ['clusters'])
    .filter(([, cluster]) => getAt(cluster, ['url']) === 'local')
    .map(([name]) => ({
      path: ['clusters', name, 'url'],
      message: 'may be `local` only with `catalog: local`',
    }));
}

/** Both of two rivals are reported: either may be the one to change. */
function rivalPools(input: unknown): Problem[] {
  const pools = allPools(input);
  return pools.flatMap((pool) => {
    const rivals = (key: 'name' | 'place') =>
      pools
        .filter((other) => other !== pool && other[key] === pool[key])
        .map((other) => formatPath(other.path));
    const message = rivalry(rivals('name'), rivals('place'));
    return message === undefined ? [] : [{ path: pool.path, message }];
  });
}

function rivalry(sameName: readonly string[], samePlace: readonly string[]): string | undefined {
  if (sameName.length > 0) {
    return `has the name of another pool (${sameName.join(', ')}); names of pools are used once in the fleet`;
  }
  return samePlace.length > 0 ? `is the same database and schema as ${samePlace.join(', ')}` : undefined;
}

function backupClusters(input: unknown): Problem[] {
  const clusters = mappingAt(input, ['clusters']);
  return itemsAt(input, ['backups']).flatMap((backup, index) =>
    itemsAt(backup, ['clusters']).flatMap((name, item) => {
      if (typeof name !== 'string' || Object.hasOwn(clusters, name)) return [];
      const message = notConfigured('cluster', Object.keys(clusters));
      return [{ path: ['backups', index, 'clusters', item], message }];
    }),
  );
}

function repeatedNames(input: unknown, path: Path): Problem[] {
  const names = itemsAt(input, path).map((item) => getAt(item, ['name']));
  return names.flatMap((name, index) =>
    name === undefined || names.indexOf(name) === index
      ? []
      : [{ path: [...path, index, 'name'], message: 'is used twice' }],
  );
}
