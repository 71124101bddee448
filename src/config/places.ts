import { formatPath, getAt, isMapping, type Mapping, type Path } from './tree.js';

/** A pool as it stands in the input. */
export interface PoolPlace {
  name: string;
  cluster: string;
  path: Path;
  /** Equal for two pools that would share their tables. */
  place: string;
}

/** The mapping at the path; an empty one where there is none, or something else. */
export function mappingAt(tree: unknown, path: Path): Mapping {
  const value = getAt(tree, path);
  return isMapping(value) ? value : {};
}

export function entriesAt(tree: unknown, path: Path): [string, unknown][] {
  return Object.entries(mappingAt(tree, path));
}

/** The items of the list at the path; none where there is no list. */
export function itemsAt(tree: unknown, path: Path): unknown[] {
  const value = getAt(tree, path);
  return Array.isArray(value) ? value : [];
}

/** Every pool of every cluster, in the order of the file. */
export function allPools(input: unknown): PoolPlace[] {
  return entriesAt(input, ['clusters']).flatMap(([cluster, value]) =>
    entriesAt(value, ['pools']).map(([name, pool]) => ({
      name,
      cluster,
      path: ['clusters', cluster, 'pools', name],
      place: JSON.stringify([cluster, getAt(pool, ['database']), getAt(pool, ['schema']) ?? 'app']),
    })),
  );
}

/** The sentence for a name that leads nowhere, with the names that there are. */
export function notConfigured(kind: string, names: readonly string[]): string {
  const known = names.map((name) => formatPath([name])).join(', ');
  return `names a ${kind} that is not configured; ${names.length > 0 ? `there is ${known}` : 'there is none'}`;
}
