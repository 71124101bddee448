import type { ConfigFile } from './find-file.js';
import { interpolateTree, type Environment } from './interpolate.js';
import { ANY_ITEM, ANY_NAME, LEAVES, leafAt } from './leaves.js';
import { applyOverrides, coerce, type Overrides } from './overrides.js';
import type { Problem } from './problems.js';
import { formatPath, getAt, isMapping, withValueAt, type Mapping, type Path } from './tree.js';

/** What file, environment and flags say together, before it is checked. */
export interface Input {
  file: ConfigFile | null;
  overrides: Overrides;
  /** Overridden, interpolated, and with the local cluster where there is no other. */
  tree: unknown;
  /** Missing variables and the like. */
  problems: Problem[];
}

/** Puts the sources together. It does not throw: what is wrong is in `problems`, or left for the schema. */
export function readInput(file: ConfigFile | null, overrides: Overrides, env: Environment): Input {
  const written = applyOverrides(withoutSchemaKey(file?.tree ?? {}), overrides);
  const { tree, changed, problems } = interpolateTree(written, env, new Set(overrides.keys()));
  const outside = new Set([...changed, ...overrides.keys()]);
  return { file, overrides, tree: withLocalCluster(coerceOutside(tree, outside)), problems };
}

/** Editors find the JSON Schema by this key; it says nothing about the fleet. */
function withoutSchemaKey(tree: unknown): unknown {
  if (!isMapping(tree)) return tree;
  return Object.fromEntries(Object.entries(tree).filter(([key]) => key !== '$schema'));
}

/** Variables are texts; where a number or a boolean is wanted they are read as one. */
function coerceOutside(tree: unknown, outside: ReadonlySet<string>): unknown {
  const visit = (value: unknown, path: Path): unknown => {
    if (Array.isArray(value)) return value.map((item, index) => visit(item, [...path, index]));
    if (isMapping(value)) return mapValues(value, (item, key) => visit(item, [...path, key]));
    if (typeof value !== 'string' || !outside.has(formatPath(path))) return value;
    const leaf = leafAt(path);
    return leaf === undefined ? value : coerce(leaf, value);
  };
  return visit(tree, []);
}

function mapValues(mapping: Mapping, change: (value: unknown, key: string) => unknown): Mapping {
  return Object.fromEntries(Object.entries(mapping).map(([key, value]) => [key, change(value, key)]));
}

const LOCAL_CLUSTERS = {
  local: { url: 'local', pools: { shared: { database: 'app_shared', schema: 'app' } } },
};

function withLocalCluster(tree: unknown): unknown {
  const clusters = getAt(tree, ['clusters']);
  const none = clusters === undefined || (isMapping(clusters) && Object.keys(clusters).length === 0);
  const wanted = none && getAt(tree, ['catalog']) === 'local';
  return wanted ? withValueAt(tree, ['clusters'], LOCAL_CLUSTERS) : tree;
}

/** Places in the tree that belong to a declared setting, the names of clusters and plans filled in. */
export function settingPaths(tree: unknown): string[][] {
  const patterns = LEAVES.map((leaf) => leaf.path).filter((path) => !path.includes(ANY_ITEM));
  return pathsBelow(tree, patterns);
}

function pathsBelow(value: unknown, patterns: readonly (readonly string[])[]): string[][] {
  const steps = [...new Set(patterns.map(([step]) => step))];
  return steps.flatMap((step) => {
    if (step === undefined) return [[]];
    const rest = patterns.filter(([first]) => first === step).map((pattern) => pattern.slice(1));
    const names = step === ANY_NAME ? Object.keys(isMapping(value) ? value : {}) : [step];
    return names.flatMap((name) => pathsBelow(getAt(value, [name]), rest).map((path) => [name, ...path]));
  });
}
