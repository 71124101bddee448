import path from 'node:path';
import { readScript, refuseProblems } from './directory.js';
import type { Listing, MigrationFile, MigrationFormat, ScriptFile } from './format.js';
import { type Span, keepOnly, sha256 } from './sections.js';

/** The format's own rule for the comments that begin a section. */
const UP = /^\s*--[\s-]*up\s+migration/im;
const DOWN = /^\s*--[\s-]*down\s+migration/im;
/** Milliseconds since 1970, or year to millisecond. */
const TIMED_NAME = /^(\d{13}|\d{17})_/;

/**
 * `1700000000000_add_note.sql` with `-- Up Migration` and `-- Down Migration`; a file without them is all
 * up. In order of the time in the name. The tool keeps no checksums: ours is sha256 of the up section, so
 * that a way back can still be mended.
 */
export const nodePgMigrate: MigrationFormat = {
  name: 'node-pg-migrate',

  async recognises(listing: Listing): Promise<boolean> {
    const scripts = listing.files.filter((name) => /\.(sql|[cm]?[jt]s)$/.test(name));
    if (scripts.length === 0) return false;
    if (scripts.every((name) => TIMED_NAME.test(name))) return true;
    const first = scripts.find((name) => name.endsWith('.sql'));
    return first !== undefined && UP.test((await listing.text(first)) ?? '');
  },

  async read(listing: Listing): Promise<MigrationFile[]> {
    const names = listing.files.filter((name) => !name.startsWith('.'));
    const programs = names.filter((name) => /\.[cm]?[jt]s$/.test(name) && !name.endsWith('.d.ts'));
    refuseProblems(
      listing.directory,
      programs.map(
        (name) => `${name}: a program cannot be read, ordered and checked as SQL can, so it is not run`,
      ),
      'Write it as SQL: `node-pg-migrate create <name> -j sql`; what it has done already can be printed with --dry-run.',
    );
    const scripts = names.filter((name) => name.endsWith('.sql')).sort(byTime);
    return Promise.all(
      scripts.map(async (name, index) => toFile(index + 1, await readScript(listing, name))),
    );
  },
};

/** The format's own order: the number in front, then the name as people count. */
export function byTime(a: string, b: string): number {
  const options = { usage: 'sort', numeric: true, sensitivity: 'variant', ignorePunctuation: true } as const;
  return timeOf(a) - timeOf(b) || a.localeCompare(b, 'en', options);
}

function timeOf(name: string): number {
  const [prefix = ''] = name.split('_', 1);
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d{3})$/.exec(prefix)?.slice(1);
  if (parts === undefined) return Number(prefix) || 0;
  const [year = '', month, day, hours, minutes, seconds, ms] = parts;
  return Date.parse(`${year}-${month}-${day}T${hours}:${minutes}:${seconds}.${ms}Z`);
}

function toFile(id: number, { fileName, path: file, sql: text }: ScriptFile): MigrationFile {
  const [up, down] = sectionsOf(text);
  const sql = keepOnly(text, [up]);
  return {
    id,
    name: path.basename(fileName, '.sql'),
    fileName,
    path: file,
    sql,
    source: text,
    sending: 'transaction',
    checksum: sha256(sql.trim()),
    down:
      down === null
        ? null
        : { fileName, path: file, sql: keepOnly(text, [down]), source: text, sending: 'transaction' },
  };
}

/** Each section goes to the other's beginning, or to the end; they may stand in either order. */
function sectionsOf(text: string): [up: Span, down: Span | null] {
  const [up, down] = [text.search(UP), text.search(DOWN)];
  const all = { start: 0, end: text.length };
  if (down < 0) return [up < 0 ? all : { start: up, end: text.length }, null];
  const upSpan = up < 0 ? all : { start: up, end: down < up ? text.length : down };
  return [upSpan, { start: down, end: up < down ? text.length : up }];
}
