import type { Environment } from './interpolate.js';
import { LEAVES, type Leaf } from './leaves.js';
import { formatPath, getAt, isMapping, withValueAt } from './tree.js';

/** A value that beats the file, with the name of the variable or flag it came from. */
export interface Override {
  leaf: Leaf;
  text: string;
  origin: 'environment' | 'flag';
  source: string;
}

/** By the path they set. */
export type Overrides = ReadonlyMap<string, Override>;

/** Global flags by their name without dashes; what is undefined was not given. */
export type Flags = Readonly<Record<string, string | undefined>>;

/** What environment and flags say; a flag beats a variable. An empty variable counts as not set. */
export function readOverrides(env: Environment, flags: Flags): Overrides {
  const overrides = new Map<string, Override>();
  for (const leaf of LEAVES) {
    const fromFlag = leaf.flag === null ? undefined : flags[leaf.flag];
    const fromEnv = (leaf.env === null ? undefined : env[leaf.env]) || undefined;
    const path = formatPath(leaf.path);
    if (fromFlag !== undefined)
      overrides.set(path, { leaf, text: fromFlag, origin: 'flag', source: `--${leaf.flag}` });
    else if (fromEnv !== undefined)
      overrides.set(path, { leaf, text: fromEnv, origin: 'environment', source: leaf.env ?? '' });
  }
  return overrides;
}

/** The file's tree with the overrides in their places, still as texts. `catalog: local` makes way for a URL. */
export function applyOverrides(tree: unknown, overrides: Overrides): unknown {
  const roomy = isMapping(tree) && getAt(tree, ['catalog']) === 'local' && overrides.has('catalog.url');
  const start = roomy ? { ...tree, catalog: undefined } : tree;
  return [...overrides.values()].reduce(
    (result, { leaf, text }) => withValueAt(result, leaf.path, text),
    start,
  );
}

/** A text from outside as the setting's own kind of value; a text that is none stays, for the schema to refuse. */
export function coerce(leaf: Leaf, text: string): unknown {
  if (leaf.scalar === 'number' && /^-?\d+(\.\d+)?$/.test(text)) return Number(text);
  if (leaf.scalar === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  return text;
}
