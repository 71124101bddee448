import { dirname, join, resolve } from 'node:path';
import { configError, type TenantctlError } from '../core/errors.js';
import { crossChecks } from './cross-checks.js';
import { findConfigFile, type ConfigFile } from './find-file.js';
import { readInput, type Input } from './input.js';
import type { Environment } from './interpolate.js';
import { readOverrides, type Flags } from './overrides.js';
import { problemsOf, type Problem } from './problems.js';
import { rememberSecrets } from './secrets.js';
import { configSchema, type ConfigValues } from './schema.js';
import { sourceOf } from './origin.js';
import { formatPath, getAt, isMapping } from './tree.js';

export interface LoadRequest {
  /** Where the search for a file begins, and what `file` is relative to. */
  cwd: string;
  /** The file named with `--config`. */
  file?: string | undefined;
  env: Environment;
  flags?: Flags;
}

/** Where the catalog is. `directory` is the folder of the local server, absolute. */
export type CatalogPlace = { kind: 'local'; directory: string } | { kind: 'url'; url: string };

/** A configuration that passed every check. */
export interface LoadedConfig {
  /** Absolute path of the file, or null when environment and flags said enough. */
  file: string | null;
  /** Absolute folder that paths in the configuration are relative to, and that commands run in. */
  root: string;
  catalog: CatalogPlace;
  values: ConfigValues;
  /** What the values were made from, for `listOrigins`. */
  input: Input;
}

const INIT_HINT = 'Run `tenantctl init` to write a configuration here, or name one with --config.';

/**
 * Finds, reads and checks the configuration. Every secret in it is remembered for redaction.
 * @throws config error (exit 3): `CONFIG_MISSING`, `CATALOG_MISSING`, `CONFIG_UNREADABLE`, or
 *   `CONFIG_INVALID` with every problem in its message and in `facts.problems`
 */
export async function loadConfig(request: LoadRequest): Promise<LoadedConfig> {
  const overrides = readOverrides(request.env, request.flags ?? {});
  const file = await findConfigFile(request.cwd, request.file);
  if (file === null && !overrides.has('catalog.url')) {
    throw configError('CONFIG_MISSING', 'There is no configuration file here or in a folder above.', {
      hint: INIT_HINT,
    });
  }
  const input = readInput(file, overrides, request.env);
  rememberSecrets(input.tree);
  const root = file === null ? resolve(request.cwd) : dirname(file.path);
  const values = check(input);
  return { file: file?.path ?? null, root, catalog: placeOf(values, root), values, input };
}

function check(input: Input): ConfigValues {
  const parsed = configSchema.safeParse(input.tree);
  const found = parsed.success ? [] : problemsOf(parsed.error.issues, input.tree);
  const problems = firstOfEachPath([...input.problems, ...found, ...crossChecks(input.tree)]);
  if (parsed.success && problems.length === 0) return parsed.data;
  const [only] = problems;
  const lacksCatalog = problems.length === 1 && only?.path[0] === 'catalog' && isMissingCatalog(input.tree);
  throw lacksCatalog ? catalogMissing(input.file) : invalid(input, problems);
}

function isMissingCatalog(tree: unknown): boolean {
  return isMapping(tree) && getAt(tree, ['catalog']) === undefined;
}

/** One mistake often breaks several rules; the first, and most basic, is enough. */
function firstOfEachPath(problems: readonly Problem[]): Problem[] {
  return [
    ...new Map(problems.toReversed().map((problem) => [formatPath(problem.path), problem])).values(),
  ].toReversed();
}

function catalogMissing(file: ConfigFile | null): TenantctlError {
  return configError('CATALOG_MISSING', `${file?.shown ?? 'The configuration'} names no catalog.`, {
    hint: 'Add `catalog: local` or `catalog: { url: … }`, set TENANTCTL_CATALOG_URL, or run `tenantctl init` in a new folder.',
    facts: { file: file?.path ?? null },
  });
}

function invalid(input: Input, problems: readonly Problem[]): TenantctlError {
  const told = problems.map(({ path, message }) => ({
    path: formatPath(path) || '(the whole file)',
    message,
    origin: sourceOf(input, path).source,
  }));
  const lines = told.map(
    (problem) => `  ${problem.path}: ${problem.message}${problem.origin && ` (${problem.origin})`}`,
  );
  const count = told.length === 1 ? 'a problem' : `${told.length} problems`;
  return configError('CONFIG_INVALID', `The configuration has ${count}:\n${lines.join('\n')}`, {
    hint: '`tenantctl config schema` and docs/reference/configuration.md describe every setting.',
    facts: { file: input.file?.path ?? null, problems: told },
  });
}

function placeOf(values: ConfigValues, root: string): CatalogPlace {
  if (values.catalog === 'local') return { kind: 'local', directory: join(root, '.tenantctl') };
  return { kind: 'url', url: values.catalog.url };
}
