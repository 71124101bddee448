import path from 'node:path';
import { listDirectory, refuseProblems, withoutMark } from './directory.js';
import type { Listing, MigrationFile, MigrationFormat } from './format.js';
import { sha256 } from './sections.js';

const JOURNAL = 'meta/_journal.json';
const SCRIPT = 'migration.sql';

/** Where the text of a migration stands. */
interface Source {
  name: string;
  file: string;
  /** The time that Drizzle records it by, in milliseconds; undefined where nothing says it. */
  when: number | undefined;
}

/**
 * Drizzle's two layouts: until 0.x the files of a journal, `meta/_journal.json`, in its order; from 1.0
 * folders `20260102030405_add_note/migration.sql` with a snapshot beside it, in order of their names.
 * The checksum is sha256 of the text. Its migrator runs everything in a transaction, so that CONCURRENTLY
 * never works there; its `--> statement-breakpoint` is a comment to us.
 */
export const drizzle: MigrationFormat = {
  name: 'drizzle',

  async recognises(listing: Listing): Promise<boolean> {
    if ((await listing.text(JOURNAL)) !== undefined) return true;
    const snapshots = await Promise.all(listing.folders.map((name) => listing.text(`${name}/snapshot.json`)));
    return snapshots.some((text) => text !== undefined);
  },

  async read(listing: Listing): Promise<MigrationFile[]> {
    const { directory } = listing;
    const journal = await listing.text(JOURNAL);
    const sources = journal === undefined ? await readFolders(listing) : readJournal(listing, journal);
    const texts = await Promise.all(sources.map(({ file }) => listing.text(file)));
    const problems = sources
      .filter((_, index) => texts[index] === undefined)
      .map(({ name, file }) => `${name}: there is no ${file}`);
    refuseProblems(directory, problems, 'Each migration that Drizzle knows needs its SQL file.');
    return sources.map(({ name, file, when }, index) => {
      const text = texts[index] ?? '';
      return {
        id: index + 1,
        name,
        fileName: file,
        path: path.join(directory, file),
        sql: withoutMark(text),
        source: withoutMark(text),
        sending: 'transaction',
        checksum: sha256(text),
        down: null,
        ...(when === undefined ? {} : { particulars: { when } }),
      };
    });
  },
};

/** A folder without any file is what a version control system leaves of a removed one. */
async function readFolders({ directory, folders }: Listing): Promise<Source[]> {
  const contents = await Promise.all(folders.map((name) => listDirectory(path.join(directory, name))));
  return folders
    .filter((_, index) => (contents[index]?.files.length ?? 0) > 0)
    .map((name) => ({ name, file: `${name}/${SCRIPT}`, when: secondsIn(name) }));
}

/** The second that a folder's name begins with, `20260102030405`, which Drizzle takes as UTC. */
function secondsIn(name: string): number | undefined {
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)/.exec(name)?.slice(1).map(Number);
  if (parts === undefined) return undefined;
  const [year = 0, month = 0, ...rest] = parts;
  return Date.UTC(year, month - 1, ...rest);
}

function readJournal({ directory, files }: Listing, text: string): Source[] {
  const entries = entriesOf(text);
  if (entries === undefined)
    refuseProblems(directory, [`${JOURNAL}: it is not a journal of Drizzle's`], RESTORE);
  const sources = (entries ?? []).map(({ tag, when }) => ({
    name: tag,
    file: `${tag}.sql`,
    when: typeof when === 'number' ? when : undefined,
  }));
  const strays = files.filter((name) => name.endsWith('.sql') && !sources.some(({ file }) => file === name));
  refuseProblems(
    directory,
    strays.map((name) => `${name}: it is not in ${JOURNAL}, so Drizzle would never run it`),
    'Let drizzle-kit write the journal, or take the file out.',
  );
  return sources;
}

const RESTORE = 'Restore the file from your version control.';

interface Entry {
  tag: string;
  when?: unknown;
}

function entriesOf(text: string): Entry[] | undefined {
  try {
    const { entries } = JSON.parse(text) as { entries?: { tag?: unknown; when?: unknown }[] };
    return entries?.every((entry): entry is Entry => typeof entry.tag === 'string') ? entries : undefined;
  } catch {
    return undefined;
  }
}
