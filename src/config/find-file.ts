import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, extname, join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { cosmiconfig, type Loader } from 'cosmiconfig';
import { configError, isTenantctlError } from '../core/errors.js';
import { lineOf } from './locate.js';
import { parseJson, parseYaml, unreadable, type Parser } from './parse-file.js';
import type { Path } from './tree.js';

const ENDINGS = ['yaml', 'yml', 'json', 'mjs', 'js'];
const FILES = ENDINGS.map((ending) => `tenantctl.config.${ending}`);
const PACKAGE_FILE = 'package.json';
const PACKAGE_KEY = 'tenantctl';

/** A configuration file as it was read. */
export interface ConfigFile {
  /** Absolute path. */
  path: string;
  /** The path as it stands in messages: as it was given, or relative to the working folder. */
  shown: string;
  tree: unknown;
  /** The line of the key at this path, where the file is one that has such lines. */
  line: (path: Path) => number | undefined;
}

/** How a path stands in messages. */
type Shown = (path: string) => string;

/** What our loaders hand through cosmiconfig: it must not interpret the content (`$import`). */
interface Loaded {
  tree: unknown;
  line: ConfigFile['line'];
}

/**
 * The configuration file: the one that was named, else the nearest from `cwd` upwards to the home
 * folder or the root. Folders of the operating system are not searched: a fleet is never invisible.
 * @returns null when none was named and none found
 * @throws config error `CONFIG_MISSING` (a named file is not there) or `CONFIG_UNREADABLE`
 */
export async function findConfigFile(cwd: string, named: string | undefined): Promise<ConfigFile | null> {
  if (named !== undefined) return await loadNamed(cwd, named);
  const shown: Shown = (path) => relative(cwd, path);
  const explorer = startExplorer(shown);
  for (const folder of foldersFrom(resolve(cwd))) {
    const found = await explorer.search(folder);
    if (found !== null) return toFile(shown(found.filepath), found.filepath, found.config);
    const passedOver = FILES.map((name) => join(folder, name)).find((path) => existsSync(path));
    if (passedOver !== undefined) throw notReadable(shown(passedOver));
  }
  return null;
}

function startExplorer(shown: Shown) {
  try {
    return cosmiconfig(PACKAGE_KEY, {
      searchPlaces: [...FILES, PACKAGE_FILE],
      searchStrategy: 'none',
      ignoreEmptySearchPlaces: false,
      cache: false,
      loaders: loadersFor(shown),
    });
  } catch {
    // cosmiconfig looks for settings of its own in the working folder's package.json and .config/.
    throw notReadable('package.json or .config/ of the working folder');
  }
}

async function loadNamed(cwd: string, shown: string): Promise<ConfigFile> {
  const path = resolve(cwd, shown);
  if (!existsSync(path)) {
    throw configError('CONFIG_MISSING', `There is no configuration file ${shown}.`, {
      hint: 'Check the path given with --config.',
      facts: { file: path },
    });
  }
  if (!ENDINGS.includes(extname(path).slice(1))) {
    throw configError('CONFIG_UNREADABLE', `${shown} is of a kind that cannot be read.`, {
      hint: `A configuration file ends in ${ENDINGS.map((ending) => `.${ending}`).join(', ')}.`,
      facts: { file: path },
    });
  }
  try {
    const found = await startExplorer(() => shown).load(path);
    return toFile(shown, path, found?.config);
  } catch (error) {
    throw isTenantctlError(error) ? error : notReadable(shown, error);
  }
}

function notReadable(shown: string, cause?: unknown) {
  const reason = (cause as NodeJS.ErrnoException | undefined)?.code;
  return configError(
    'CONFIG_UNREADABLE',
    `${shown} cannot be read${reason === undefined ? '' : ` (${reason})`}.`,
    {
      hint: 'Correct it, and check that it is a file which you may read.',
      facts: { file: shown },
      cause,
    },
  );
}

function* foldersFrom(start: string): Generator<string> {
  const home = homedir();
  for (let folder = start; ; folder = dirname(folder)) {
    yield folder;
    if (folder === home || dirname(folder) === folder) return;
  }
}

function toFile(shown: string, path: string, config: unknown): ConfigFile {
  const loaded = (config ?? { tree: undefined, line: () => undefined }) as Loaded;
  return { path, shown, ...loaded };
}

function loadersFor(shown: Shown): Record<string, Loader> {
  const yaml = textLoader(shown, parseYaml);
  const script = scriptLoader(shown);
  return {
    '.yaml': yaml,
    '.yml': yaml,
    '.json': textLoader(shown, parseJson),
    '.js': script,
    '.mjs': script,
  };
}

function textLoader(shown: Shown, parse: Parser): Loader {
  return (path, text) => {
    try {
      return inPackage(path, parse(text), (place) => lineOf(text, parse, place));
    } catch (error) {
      throw unreadable(shown(path), text, error);
    }
  };
}

/** From `package.json` cosmiconfig takes the key itself, so what it finds there must be ours already. */
function inPackage(path: string, tree: unknown, line: ConfigFile['line']): unknown {
  if (basename(path) !== PACKAGE_FILE) return { tree, line } satisfies Loaded;
  const own = (tree as Record<string, unknown> | null)?.[PACKAGE_KEY];
  if (own === undefined) return {};
  return {
    [PACKAGE_KEY]: { tree: own, line: (place: Path) => line([PACKAGE_KEY, ...place]) } satisfies Loaded,
  };
}

function scriptLoader(shown: Shown): Loader {
  return async (path, text) => {
    const module = await importScript(path).catch((error: unknown) => {
      throw unreadable(shown(path), text, error);
    });
    if (!('default' in module)) throw unreadable(shown(path), text, new Error('It has no default export.'));
    return { tree: module['default'], line: () => undefined } satisfies Loaded;
  };
}

/** Not cosmiconfig's loader: on a mistake in an ES module that one falls back to `require` and reports its failure. */
async function importScript(path: string): Promise<Record<string, unknown>> {
  return (await import(pathToFileURL(path).href)) as Record<string, unknown>;
}
