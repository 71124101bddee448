import path from 'node:path';
import { readScript, refuseProblems } from './directory.js';
import type {
  Listing,
  MigrationFile,
  MigrationFormat,
  MigrationScript,
  ScriptFile,
  Sending,
} from './format.js';
import { type Span, keepOnly, sha256 } from './sections.js';

const FILE_NAME = /^\d+.*\.sql$/;
const MARKER = /^--\s*migrate:(up|down)\b[^\n]*$/gm;

/** What stands between a marker and the next one. */
interface Block extends Span {
  way: string;
  sending: Sending;
}

/**
 * `20230404095503_add_note.sql` with `-- migrate:up` and `-- migrate:down`, in order of the names; with
 * `transaction:false` behind a marker its statements run one by one. The tool keeps no checksums: ours is
 * sha256 of what goes up, so that a way back can still be mended.
 */
export const dbmate: MigrationFormat = {
  name: 'dbmate',

  async recognises(listing: Listing): Promise<boolean> {
    const first = listing.files.find((name) => FILE_NAME.test(name));
    return first !== undefined && blocksOf((await listing.text(first)) ?? '').length > 0;
  },

  async read(listing: Listing): Promise<MigrationFile[]> {
    const names = listing.files.filter((name) => FILE_NAME.test(name));
    const scripts = await Promise.all(names.map((name) => readScript(listing, name)));
    refuseProblems(
      listing.directory,
      scripts.flatMap(({ fileName, sql }) => problemsOf(sql).map((problem) => `${fileName}: ${problem}`)),
      'A file begins with `-- migrate:up`, and its way back with `-- migrate:down`.',
    );
    return scripts.map((script, index) => toFile(index + 1, script));
  },
};

function blocksOf(text: string): Block[] {
  const markers = [...text.matchAll(MARKER)];
  return markers.map(({ 0: line, 1: way = '', index }, n) => ({
    way,
    sending: /\stransaction:false\b/.test(line) ? 'statements' : 'transaction',
    start: index,
    end: markers[n + 1]?.index ?? text.length,
  }));
}

function problemsOf(text: string): string[] {
  const blocks = blocksOf(text);
  const before = text.slice(0, blocks[0]?.start ?? 0).replace(/^\s*--.*$/gm, '');
  return [
    ...(blocks.some(({ way }) => way === 'up') ? [] : ['there is no `-- migrate:up` in it']),
    ...(before.trim() === '' ? [] : ['there is SQL before the first marker']),
    ...['up', 'down'].flatMap((way) =>
      mixed(blocks, way) ? [`its ${way} blocks disagree about transaction:false`] : [],
    ),
  ];
}

function mixed(blocks: readonly Block[], way: string): boolean {
  return new Set(blocks.filter((block) => block.way === way).map(({ sending }) => sending)).size > 1;
}

function toFile(id: number, file: ScriptFile): MigrationFile {
  const blocks = blocksOf(file.sql);
  const up = scriptOf(file, blocks, 'up');
  const hasDown = blocks.some(({ way }) => way === 'down');
  return {
    ...up,
    id,
    name: path.basename(file.fileName, '.sql'),
    checksum: sha256(up.sql.trim()),
    down: hasDown ? scriptOf(file, blocks, 'down') : null,
  };
}

function scriptOf(file: ScriptFile, blocks: readonly Block[], way: string): MigrationScript {
  const own = blocks.filter((block) => block.way === way);
  return {
    ...file,
    sql: keepOnly(file.sql, own),
    source: file.sql,
    sending: own[0]?.sending ?? 'transaction',
  };
}
