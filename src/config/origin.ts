import { redactDeep } from '../core/redact.js';
import { maskConnectionUrl } from './connection-url.js';
import { settingPaths, type Input } from './input.js';
import { leafAt, type Leaf } from './leaves.js';
import { formatPath, getAt, type Path } from './tree.js';

export type Origin = 'default' | 'file' | 'environment' | 'flag';

/** One line of `config show`. */
export interface SettingOrigin {
  path: string;
  /** As one would write it; secrets masked, null where there is no value. */
  value: unknown;
  origin: Origin;
  /** `tenantctl.config.yaml:12`, the variable's name, the flag, or empty for a default. */
  source: string;
  secret: boolean;
}

/** Every setting of the configuration with where its value came from, in the order of the schema. */
export function listOrigins(config: { input: Input }): SettingOrigin[] {
  const { input } = config;
  return settingPaths(input.tree)
    .filter((path) => !isOtherCatalog(input, path))
    .map((path) => describe(input, path, leafAt(path) as Leaf));
}

/** `catalog` is either a word or a mapping with a URL; only the one that is there is shown. */
function isOtherCatalog(input: Input, path: Path): boolean {
  const local = getAt(input.tree, ['catalog']) === 'local';
  return path[0] === 'catalog' && (path.length === 1) !== local;
}

function describe(input: Input, path: Path, leaf: Leaf): SettingOrigin {
  const value = getAt(input.tree, path);
  const given = value !== undefined;
  return {
    path: formatPath(path),
    value: shown(input, path, leaf, given ? value : leaf.default) ?? null,
    ...(given ? sourceOf(input, path) : { origin: 'default', source: '' }),
    secret: leaf.secret,
  };
}

/** Lists are shown as written: arguments of a command often hold a token that came from a variable. */
function shown(input: Input, path: Path, leaf: Leaf, value: unknown): unknown {
  if (Array.isArray(value)) return redactDeep(getAt(input.file?.tree, path) ?? value);
  if (!leaf.secret || typeof value !== 'string' || value === 'local') return value;
  return path.at(-1) === 'url' ? maskConnectionUrl(value) : '***';
}

/** Where the value at a path comes from; a path without a value counts as its file's. */
export function sourceOf(input: Input, path: Path): { origin: Origin; source: string } {
  const override = input.overrides.get(formatPath(path));
  if (override !== undefined) return { origin: override.origin, source: override.source };
  const implied =
    path[0] === 'clusters' &&
    getAt(input.file?.tree, path) === undefined &&
    getAt(input.tree, path) !== undefined;
  if (input.file === null || implied) return { origin: 'default', source: '' };
  const line = input.file.line(path);
  return { origin: 'file', source: line === undefined ? input.file.shown : `${input.file.shown}:${line}` };
}
