import { crc32 } from 'node:zlib';
import type { ToolLedgerPlace } from '../../../core/adoption.js';
import type { MigrationFile } from '../format.js';
import { problem, textOf } from './judging.js';
import type { Judgement, LedgerProblem, LedgerRow, MirrorRow, ToolLedger } from './ledger.js';

const LOCK_SALT = 1486364155n;
/** What the row holds when a way up from nothing failed. */
const NOTHING = '-1';

/**
 * golang-migrate: one row, the number of the newest file, and whether that one failed. All files up to it are believed to
 * have run, though one that was added later with a lower number never did: only the shape tells. No row: nothing was applied.
 */
export const golangMigrateLedger: ToolLedger = {
  tool: 'golang-migrate',
  table: 'schema_migrations',
  schema: null,
  marks: ['version', 'dirty'],
  lacks: [],
  columns: ['version', 'dirty'],
  filled: [],
  order: ['version'],
  lockKey,
  judge,
  mirror: {
    applied: (file) => ({ remove: EVERY_ROW, insert: [markAt(file)] }),
    takenBack: (_, before) => ({ remove: EVERY_ROW, insert: before === null ? [] : [markAt(before)] }),
  },
};

const EVERY_ROW: MirrorRow[] = [{ table: null, values: {} }];

/** crc32 of schema, table and database with zero bytes in between, times a salt in 32 bits. */
function lockKey({ schema, table }: ToolLedgerPlace, database: string): bigint {
  return (BigInt(crc32([schema, table, database].join('\0'))) * LOCK_SALT) % 2n ** 32n;
}

function judge(rows: readonly LedgerRow[], files: readonly MigrationFile[]): Judgement {
  const mark = textOf(rows[0] ?? {}, 'version');
  if (mark === null) return { applied: [], inferred: [], problems: [] };
  if (!/^-?\d+$/.test(mark)) return { applied: [], inferred: [], problems: notANumber(mark) };
  const dirty = rows.some((row) => row['dirty'] === true);
  const upTo = files.filter((file) => BigInt(versionOf(file)) <= BigInt(mark));
  const applied = (dirty ? upTo.filter((file) => versionOf(file) !== mark) : upTo).map(({ id }) => id);
  return {
    applied,
    inferred: upTo.filter((file) => versionOf(file) !== mark).map(({ id }) => id),
    problems: [...dirtyProblem(dirty, mark, upTo.at(-1)), ...strangerProblem(mark, files)],
  };
}

function notANumber(mark: string): LedgerProblem[] {
  return problem('unknown', [mark], {
    message: () => `It is at ${mark}, which is no number`,
    hint: 'See whose table it is; where it is no ledger, say in column version which migration the unit has and name the true one in column ledger.',
  });
}

function dirtyProblem(dirty: boolean, mark: string, last: MigrationFile | undefined): LedgerProblem[] {
  return problem('dirty', dirty ? [last?.fileName ?? mark] : [], {
    message: (name) => `${name} failed, or is running now: the ledger is dirty, and it may be half applied`,
    hint: `Undo what it left behind and say \`migrate force\` with the number before it, or complete it and say \`migrate force ${mark}\`; then adopt again.`,
  });
}

function strangerProblem(mark: string, files: readonly MigrationFile[]): LedgerProblem[] {
  if (mark === NOTHING || files.some((file) => versionOf(file) === mark)) return [];
  const newer = files.every((file) => BigInt(versionOf(file)) < BigInt(mark));
  return newer
    ? problem('ahead', [mark], {
        message: () => `It is at ${mark}, newer than every file of the directory`,
        hint: 'Bring the migration directory up to date, so that it has what was applied here; then adopt again.',
      })
    : problem('unknown', [mark], {
        message: () => `It is at ${mark}, which no file of the directory is`,
        hint: 'Put that file back into the directory, or say `migrate force` with the number of the newest file that was applied; then adopt again.',
      });
}

/** In a fleet of several tools the files may be in the format of another one, which begins names with the number as well. */
function versionOf({ particulars, name }: MigrationFile): string {
  return BigInt(particulars?.['version'] ?? /^\d+/.exec(name)?.[0] ?? 0).toString();
}

const markAt = (file: MigrationFile): MirrorRow => ({
  table: null,
  values: { version: versionOf(file), dirty: false },
});
