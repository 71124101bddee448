import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findConfigFile } from '../../config/find-file.js';
import { STARTER_FILE, STARTER_TEXT } from '../../config/starter.js';
import { installFleet } from '../../operations/install.js';
import { stepsText } from '../../render/run-text.js';
import type { Call, Outcome } from '../command.js';
import type { init } from '../commands/init.js';
import { connectNewFleet, readConfig } from '../context.js';

const MIGRATIONS = 'migrations';
const CATALOG_VARIABLE = 'TENANTCTL_CATALOG_URL';

/** Writes what a folder lacks, then installs the catalog. */
export default async function handle(call: Call<typeof init>): Promise<Outcome> {
  const { io, global, options } = call;
  const isNew = (await findConfigFile(io.cwd, global.config)) === null;
  const missing = isNew ? starterFiles(io.cwd, starterText(call)) : [];
  if (options.dryRun) return plan(missing.map(({ path }) => path));
  for (const file of missing) await file.write();
  const written = missing.map(({ path }) => path);
  try {
    const { catalog, created } = await install(call);
    return report(catalog, [...written, ...created]);
  } catch (error) {
    if (written.length > 0) tellWritten(call, written);
    throw error;
  }
}

async function install(call: Call<typeof init>) {
  const { io, global, options } = call;
  const fleet = await connectNewFleet({ ...call, config: await readConfig(io, global), change: options });
  try {
    return await installFleet(fleet);
  } finally {
    await fleet.close();
  }
}

/** The error that follows is about the catalog alone; what stands in the folder by now must not surprise. */
function tellWritten({ emit }: Call<typeof init>, written: readonly string[]): void {
  const message = `wrote ${written.join(' and ')}, and the catalog is not installed yet; the same \`tenantctl init\` again goes on there`;
  emit({ type: 'notice', level: 'warning', code: 'CATALOG_NOT_INSTALLED', message });
}

/** What a new project gets: a configuration, and a folder for its migrations. */
function starterFiles(folder: string, text: string) {
  const config = join(folder, STARTER_FILE);
  const migrations = join(folder, MIGRATIONS);
  return [
    // `wx`: should a file have appeared in the meantime, it is left alone.
    { path: config, write: () => writeFile(config, text, { flag: 'wx' }) },
    { path: migrations, write: () => mkdir(migrations, { recursive: true }) },
  ].filter(({ path }) => !existsSync(path));
}

/**
 * A catalog that was named is written down as a variable, for its URL is a secret. Without that line the
 * next command would turn to a local server, and find an empty fleet.
 */
function starterText({ io, global }: Call<typeof init>): string {
  const named = global.catalog ?? io.env[CATALOG_VARIABLE];
  if (named === undefined || named === '') return STARTER_TEXT;
  return STARTER_TEXT.replace(
    /^# The local PostgreSQL server .*\ncatalog: local$/m,
    `# The database of the catalog. Its URL is a secret: it stands in ${CATALOG_VARIABLE}, or behind --catalog.
catalog: { url: "\${${CATALOG_VARIABLE}}" }`,
  );
}

function plan(paths: readonly string[]): Outcome {
  const steps = [...paths.map((path) => `write ${path}`), 'install the catalog, or bring it up to date'];
  return { data: { plan: { steps } }, text: () => stepsText({ steps }) };
}

function report(catalog: string, created: readonly string[]): Outcome {
  const lines = created.length === 0 ? ['nothing to do'] : created.map((name) => `created ${name}`);
  return {
    data: { catalog, created },
    text: () => [`catalog: ${catalog}`, ...lines, 'next: tenantctl provision <id> --plan <name>'].join('\n'),
  };
}
