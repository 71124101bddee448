/** A place in a configuration: names of keys, and numbers for items of a list. */
export type Path = readonly (string | number)[];

export type Mapping = Record<string, unknown>;

/** Deeper than any configuration; a YAML file whose anchors form a ring would never end. */
export const MAX_DEPTH = 24;

/** Whether the value is a plain mapping of keys (not a list, a date or an instance of a class). */
export function isMapping(value: unknown): value is Mapping {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** The value at the path, looking only at own keys; undefined where there is none. */
export function getAt(tree: unknown, path: Path): unknown {
  let value = tree;
  for (const step of path) {
    if (Array.isArray(value) && typeof step === 'number') value = value[step] as unknown;
    else if (isMapping(value) && Object.hasOwn(value, step)) value = value[step];
    else return undefined;
  }
  return value;
}

/**
 * A copy of the tree with the value at the path. A mapping is made where there is none yet; where
 * something else stands in the way the tree is returned as it was, so that the mistake is reported.
 */
export function withValueAt(tree: unknown, path: readonly string[], value: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  if (tree !== undefined && tree !== null && !isMapping(tree)) return tree;
  const entries = Object.entries(tree ?? {}).filter(([name]) => name !== key);
  const child = getAt(tree, [key]);
  return Object.fromEntries([...entries, [key, withValueAt(child, rest, value)]]);
}

/**
 * The path as people write it: `rollout.waves[0].name`, odd keys in brackets and quotes. A key that
 * swallowed its value (`url:postgres://…` without the space) is cut off, for the value may be a secret.
 */
export function formatPath(path: Path): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    if (!/^[\w-]+$/.test(step)) return `${text}[${JSON.stringify(step.replace(/[:=].*/s, ':…'))}]`;
    return text === '' ? step : `${text}.${step}`;
  }, '');
}

/** A record without a prototype: a cluster may be called `constructor`. */
export function recordOf<T>(entries: Iterable<readonly [string, T]>): Record<string, T> {
  const record = Object.create(null) as Record<string, T>;
  for (const [key, value] of entries) record[key] = value;
  return record;
}
