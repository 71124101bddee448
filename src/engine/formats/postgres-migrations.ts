import { createHash } from 'node:crypto';
import path from 'node:path';
import { groupBy } from '../../core/group-by.js';
import { filesIn, readScript, refuseProblems, unreadableFile, withoutMark } from './directory.js';
import type { Listing, MigrationFile, MigrationFormat, MigrationScript } from './format.js';

/** `0007_add_invoice_note.sql`; the separator may be missing, as in the format's own rule. */
const FILE_NAME = /^(-?\d+)[-_]?(.*)\.(sql|js)$/i;
/** Versions made of a time have more digits: 14 in most tools, 13 for milliseconds. */
const SMALL_NUMBER = /^\d{1,6}(?!\d)/;
const DOWN = 'down';

/**
 * `0007_add_note.sql`, numbered from 1 without a gap, with an optional way back of the same name in
 * `down/`. Other files than `.sql` are ignored, as are other folders, but `.js` is refused: the format's
 * own loader would run it. The checksum is sha1 over file name and text, as that loader computes it for
 * an LF checkout.
 */
export const postgresMigrations: MigrationFormat = {
  name: 'postgres-migrations',

  async recognises({ files }: Listing): Promise<boolean> {
    const scripts = files.filter(isSql);
    return scripts.length > 0 && scripts.every((name) => SMALL_NUMBER.test(name) && !/^0+(?!\d)/.test(name));
  },

  async read(listing: Listing): Promise<MigrationFile[]> {
    const { directory, files: names } = listing;
    const downs = await filesIn(listing, DOWN);
    refuseProblems(
      directory,
      [...namingProblems(names), ...numberingProblems(names), ...strayProblems(names, downs)],
      'Numbers run from 0001 without gaps, one file each.',
    );
    const { loadMigrationFiles } = await import('postgres-migrations');
    const loaded = await loadMigrationFiles(directory).catch((cause: unknown) => {
      throw unreadableFile(directory, cause);
    });
    return Promise.all(
      loaded
        .filter(({ id }) => id > 0)
        .map(async ({ id, fileName, sql }) => ({
          ...toMigrationFile(directory, id, fileName, sql),
          down: downs.includes(fileName) ? await readDown(listing, fileName) : null,
        })),
    );
  },
};

/** The numbers in a listing, without reading a file. */
export function numbersIn({ files }: Listing): number[] {
  return files
    .filter(isSql)
    .map(idOf)
    .sort((a, b) => a - b);
}

function toMigrationFile(directory: string, id: number, fileName: string, text: string) {
  const sql = withoutMark(text).replaceAll('\r\n', '\n');
  return {
    id,
    name: path.basename(fileName, path.extname(fileName)),
    fileName,
    path: path.join(directory, fileName),
    sql,
    source: sql,
    sending: 'transaction' as const,
    checksum: createHash('sha1')
      .update(fileName + sql, 'utf8')
      .digest('hex'),
  };
}

async function readDown(listing: Listing, fileName: string): Promise<MigrationScript> {
  const script = await readScript(listing, `${DOWN}/${fileName}`);
  return { ...script, source: script.sql, sending: 'transaction' };
}

const isSql = (name: string): boolean => /\.sql$/i.test(name);
const idOf = (name: string): number => Number(FILE_NAME.exec(name)?.[1]);

function namingProblems(names: readonly string[]): string[] {
  const scripts = names.filter((name) => /\.js$/i.test(name));
  const odd = names.filter((name) => isSql(name) && !FILE_NAME.test(name));
  return [
    ...scripts.map((name) => `${name}: JavaScript migrations are not run; write it as SQL`),
    ...odd.map((name) => `${name}: the name does not begin with a number, as in 0007_add_note.sql`),
  ];
}

function numberingProblems(names: readonly string[]): string[] {
  const byId = groupBy(
    names.filter((name) => isSql(name) && FILE_NAME.test(name)),
    idOf,
  );
  const ids = [...byId.keys()].sort((a, b) => a - b);
  const duplicates = [...byId].filter(([, files]) => files.length > 1);
  const gap = ids.find((id, index) => id !== index + 1);
  return [
    ...duplicates.map(([id, files]) => `number ${id} is used by ${files.sort().join(' and ')}`),
    ...(gap === undefined ? [] : [gapSentence(gap, ids)]),
  ];
}

function strayProblems(names: readonly string[], downs: readonly string[]): string[] {
  return downs
    .filter((name) => /\.(sql|js)$/i.test(name) && !names.includes(name))
    .map((name) => `${DOWN}/${name}: it belongs to no migration; the way back has the same file name`);
}

function gapSentence(found: number, ids: readonly number[]): string {
  const expected = ids.indexOf(found) + 1;
  return found < 1
    ? `number ${found} is below 1; the first migration is 0001`
    : `number ${expected} is missing: the next file there is ${found}`;
}
