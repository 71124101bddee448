import type { MigrationFile } from '../format.js';
import { sha256 } from '../sections.js';
import { type Recorded, editedProblem, judgeSet, problem, textOf, textsOf } from './judging.js';
import type { Judgement, LedgerMirror, LedgerProblem, LedgerRow, ToolLedger } from './ledger.js';

interface Row extends Recorded {
  hash: string;
  /** Milliseconds; of a row made by 0.x the journal's `when`, of one made by 1.0 the second in the folder's name. */
  at: number;
}

const mirror: LedgerMirror = {
  applied(file) {
    const created_at = whenOf(file);
    if (created_at === undefined) return null;
    const values = { hash: file.checksum, created_at, name: file.name };
    return { remove: [], insert: [{ table: null, values, newer: ['name'] }] };
  },
  takenBack(file) {
    const created_at = whenOf(file);
    if (created_at === undefined) return null;
    return { remove: [{ table: null, values: { hash: file.checksum, created_at } }], insert: [] };
  },
};

/**
 * Drizzle: a row for each file, with sha256 of its text. Until 0.x it is known by the journal's `when`, and a file is run only
 * if that is above all recorded ones: one that came later with an older time was never run and never will be. From 1.0 it is
 * known by its folder's name; rows of before are told by their second, then by their hash. It takes no lock.
 */
export const drizzleLedger: ToolLedger = {
  tool: 'drizzle',
  table: '__drizzle_migrations',
  schema: 'drizzle',
  marks: ['id', 'hash', 'created_at'],
  lacks: [],
  columns: ['hash', 'created_at', 'name'],
  filled: [],
  order: ['created_at', 'id'],
  lockKey: () => null,
  judge,
  mirror,
};

function judge(rows: readonly LedgerRow[], files: readonly MigrationFile[]): Judgement {
  const recorded = rows.map((row) => toRow(row, files));
  const skipped = files.some(isFolder) ? [] : skippedAmong(files, recorded);
  const rest = files.filter((file) => !skipped.includes(file));
  const { problems, ...judgement } = judgeSet(recorded, rest, {
    gap: 'Apply it with `drizzle-kit migrate`',
    forget: 'delete its row from __drizzle_migrations',
  });
  const edited = recorded.flatMap(({ file, hash }) => (file && !hashesOf(file).includes(hash) ? [file] : []));
  return {
    ...judgement,
    problems: [...skippedProblem(skipped), ...problems, ...editedProblem(edited, REMEDY)],
  };
}

const REMEDY = 'set `hash` in __drizzle_migrations to sha256 of the text';

function toRow(row: LedgerRow, files: readonly MigrationFile[]): Row {
  const hash = textOf(row, 'hash') ?? '';
  const at = Number(textOf(row, 'created_at'));
  const name = textOf(row, 'name');
  const file = name === null ? byTimeOrText(at, hash, files) : files.find((each) => each.name === name);
  const newest = Math.max(...files.map((each) => whenOf(each) ?? 0));
  return { label: name ?? `${at} (${hash.slice(0, 12)}…)`, file, newer: at > newest, hash, at };
}

function byTimeOrText(at: number, hash: string, files: readonly MigrationFile[]): MigrationFile | undefined {
  const hasText = (file: MigrationFile) => hashesOf(file).includes(hash);
  const sameTime = files.filter((file) => whenOf(file) === (isFolder(file) ? at - (at % 1000) : at));
  return (sameTime.length > 1 ? sameTime.find(hasText) : sameTime[0]) ?? files.find(hasText);
}

/** Files that the tool takes for applied because of their time, but has no row of. */
function skippedAmong(files: readonly MigrationFile[], recorded: readonly Row[]): MigrationFile[] {
  const mark = Math.max(...recorded.map(({ at }) => at));
  const known = new Set(recorded.map(({ file }) => file));
  return files.filter((file) => !known.has(file) && (whenOf(file) ?? Infinity) <= mark);
}

function skippedProblem(skipped: readonly MigrationFile[]): LedgerProblem[] {
  return problem(
    'gap',
    skipped.map(({ fileName }) => fileName),
    {
      message: (names) =>
        `${names}: never applied, because a file with a later time had been applied before; Drizzle takes it for done`,
      hint: 'Raise its `when` in meta/_journal.json above all others and run `drizzle-kit migrate`; then adopt again.',
    },
  );
}

const isFolder = ({ fileName }: MigrationFile): boolean => fileName.endsWith('/migration.sql');
const hashesOf = (file: MigrationFile): string[] => textsOf(file).map(sha256);

function whenOf({ particulars }: MigrationFile): number | undefined {
  const when = particulars?.['when'];
  return typeof when === 'number' ? when : undefined;
}
