import { readScript, refuseProblems } from './directory.js';
import { compareVersions } from './flyway-version.js';
import type { Listing, MigrationFile, MigrationFormat, MigrationScript } from './format.js';
import { sha256 } from './sections.js';

/** Prefix, version and description by the format's own rule; a repeatable one has no version. */
const FILE_NAME = /^([VUBR])(\d+(?:[._]\d+)*)?__(.+)\.sql$/;
const PLACEHOLDER = /\$\{[^}\s]+\}/;

interface Named {
  prefix: string;
  version: string;
  description: string;
  fileName: string;
}

/**
 * `V1.2__add_note.sql` in order of the versions, with the way back in `U1.2__add_note.sql`. The newest baseline,
 * `B5__all.sql`, is the first migration where no file up to its version is there any more; beside them it is left out, as it
 * does the same. A repeatable one, `R__views.sql`, is refused, as every file runs once here, and so is `${name}`, which
 * Flyway fills in before it runs a file. The script's `.conf` may say that it runs outside a transaction. The checksum is
 * sha256 of the text.
 */
export const flyway: MigrationFormat = {
  name: 'flyway',

  async recognises({ files }: Listing): Promise<boolean> {
    return files.some((name) => FILE_NAME.test(name));
  },

  async read(listing: Listing): Promise<MigrationFile[]> {
    const named = listing.files.flatMap(parsedName).sort((a, b) => compareVersions(a.version, b.version));
    const ups = withBaseline(named);
    const downs = named.filter(({ prefix }) => prefix === 'U');
    refuseProblems(
      listing.directory,
      [...strays(listing), ...twice(ups), ...twice(downs), ...withoutUp(ups, downs)],
      'A migration is V1__name.sql, with U1__name.sql for its way back, each version once, all in one directory.',
    );
    const scripts = await Promise.all([...ups, ...downs].map(({ fileName }) => toScript(listing, fileName)));
    refuseProblems(
      listing.directory,
      scripts.flatMap(filledIn),
      'Write the value itself, or set placeholderReplacement=false in the .conf of the script where it is none.',
    );
    const scriptOf = ({ fileName }: Named) =>
      scripts.find((script) => script.fileName === fileName) as Script;
    return ups.map((up, index) => {
      const down = downs.find(({ version }) => sameVersion(version, up.version));
      return toFile(index + 1, up, scriptOf(up), down === undefined ? null : scriptOf(down));
    });
  },
};

function parsedName(fileName: string): Named[] {
  const [, prefix = '', version = '', title = ''] = FILE_NAME.exec(fileName) ?? [];
  if (version === '' || prefix === 'R') return [];
  return [
    { prefix, version: version.replaceAll('_', '.'), description: title.replaceAll('_', ' '), fileName },
  ];
}

/** The versioned files, after the newest baseline where nothing else leads to it. */
function withBaseline(named: readonly Named[]): Named[] {
  const versioned = named.filter(({ prefix }) => prefix === 'V');
  const baseline = named.findLast(({ prefix }) => prefix === 'B');
  const first = versioned[0];
  if (baseline === undefined) return versioned;
  const leads = first !== undefined && compareVersions(first.version, baseline.version) <= 0;
  return leads ? versioned : [baseline, ...versioned];
}

function strays({ files, folders }: Listing): string[] {
  const scripts = files.filter((name) => name.endsWith('.sql'));
  const odd = scripts.filter((name) => FILE_NAME.exec(name) === null || unversioned(name));
  return [
    ...odd.map((name) => `${name}: ${name.startsWith('R__') ? REPEATABLE : "its name is none of Flyway's"}`),
    ...folders.map((name) => `${name}/: Flyway reads folders as well, which is not done here`),
  ];
}

const REPEATABLE =
  "a repeatable migration runs again whenever it changes, but here every file runs once; write each new state as a V file, or keep it in a location of Flyway's own";

const unversioned = (name: string): boolean => FILE_NAME.exec(name)?.[2] === undefined;
const sameVersion = (a: string, b: string): boolean => compareVersions(a, b) === 0;

function twice(named: readonly Named[]): string[] {
  return named.flatMap(({ version, fileName }, index) => {
    const before = named[index - 1];
    return before !== undefined && sameVersion(before.version, version)
      ? [`version ${version} is used by ${before.fileName} and ${fileName}`]
      : [];
  });
}

function withoutUp(ups: readonly Named[], downs: readonly Named[]): string[] {
  return downs
    .filter(({ version }) => !ups.some((up) => sameVersion(up.version, version)))
    .map(({ fileName }) => `${fileName}: there is no V file of that version`);
}

interface Script extends MigrationScript {
  /** What its `.conf` says. */
  settings: string;
}

async function toScript(listing: Listing, fileName: string): Promise<Script> {
  const script = await readScript(listing, fileName);
  const settings = (await listing.text(`${fileName}.conf`)) ?? '';
  const alone = /^\s*executeInTransaction\s*=\s*false\s*$/m.test(settings);
  return { ...script, source: script.sql, sending: alone ? 'statements' : 'message', settings };
}

function filledIn({ fileName, sql, settings }: Script): string[] {
  const found = PLACEHOLDER.exec(sql)?.[0];
  const verbatim = /^\s*placeholderReplacement\s*=\s*false\s*$/m.test(settings);
  return found === undefined || verbatim
    ? []
    : [`${fileName}: ${found} is filled in by Flyway before it runs`];
}

function toFile(id: number, named: Named, up: Script, down: Script | null): MigrationFile {
  const { settings: _, ...script } = up;
  const { prefix, version, description, fileName } = named;
  return {
    ...script,
    id,
    name: fileName.replace(/\.sql$/, ''),
    checksum: sha256(script.sql),
    down,
    particulars: { prefix, version, description },
  };
}
