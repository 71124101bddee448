import { readScript, refuseProblems } from './directory.js';
import type { Listing, MigrationFile, MigrationFormat, ScriptFile } from './format.js';
import { sha256 } from './sections.js';

/** The format's own rule, for SQL. */
const FILE_NAME = /^(\d+)_(.*)\.(up|down)\.sql$/;

interface Named {
  version: string;
  title: string;
  fileName: string;
}

/**
 * `000001_add_note.up.sql` with its way back in `000001_add_note.down.sql`, in order of the numbers, which may have gaps. The tool
 * sends a file as one message: what it holds runs in one transaction, unless it says BEGIN and COMMIT itself. It keeps no
 * checksums: ours is sha256 of the way up.
 */
export const golangMigrate: MigrationFormat = {
  name: 'golang-migrate',

  async recognises({ files }: Listing): Promise<boolean> {
    return files.some((name) => /^\d+_.*\.up\.sql$/.test(name));
  },

  async read(listing: Listing): Promise<MigrationFile[]> {
    const [ups, downs] = [namedFiles(listing, 'up'), namedFiles(listing, 'down')];
    refuseProblems(
      listing.directory,
      [...strays(listing), ...twice(ups), ...twice(downs), ...withoutUp(ups, downs)],
      'A migration is 000001_name.up.sql, with 000001_name.down.sql for its way back.',
    );
    return Promise.all(
      ups.map(async (up, index) => {
        const down = downs.find(({ version }) => version === up.version);
        return toFile(
          index + 1,
          up,
          await readScript(listing, up.fileName),
          down === undefined ? null : await readScript(listing, down.fileName),
        );
      }),
    );
  },
};

function namedFiles({ files }: Listing, way: 'up' | 'down'): Named[] {
  const named = files.flatMap((fileName) => {
    const [, digits = '', title = '', found] = FILE_NAME.exec(fileName) ?? [];
    return found === way ? [{ version: String(BigInt(digits)), title, fileName }] : [];
  });
  return named.sort((a, b) => (BigInt(a.version) < BigInt(b.version) ? -1 : 1));
}

function strays({ files }: Listing): string[] {
  return files
    .filter((name) => name.endsWith('.sql') && !FILE_NAME.test(name))
    .map(
      (name) => `${name}: golang-migrate would never run it, as it is no .up.sql or .down.sql with a number`,
    );
}

function twice(named: readonly Named[]): string[] {
  return named.flatMap(({ version, fileName }, index) => {
    const before = named[index - 1];
    return before?.version === version
      ? [`number ${version} is used by ${before.fileName} and ${fileName}`]
      : [];
  });
}

function withoutUp(ups: readonly Named[], downs: readonly Named[]): string[] {
  return downs
    .filter(({ version }) => !ups.some((up) => up.version === version))
    .map(({ fileName }) => `${fileName}: there is no .up.sql of that number`);
}

function toFile(
  id: number,
  { version, fileName }: Named,
  up: ScriptFile,
  down: ScriptFile | null,
): MigrationFile {
  return {
    ...up,
    id,
    name: fileName.replace(/\.up\.sql$/, ''),
    source: up.sql,
    sending: 'message',
    checksum: sha256(up.sql),
    down: down === null ? null : { ...down, source: down.sql, sending: 'message' },
    particulars: { version },
  };
}
