import type { LedgerTool, ToolLedgerPlace } from '../../../core/adoption.js';
import type { MigrationFile } from '../format.js';

/** A row of a tool's ledger: the columns that its reader asks for, as JSON has them. */
export type LedgerRow = Readonly<Record<string, unknown>>;

/**
 * How one migration tool writes down what it has applied. It knows names, columns and rules; whoever asks a server builds the
 * statements from them, so that everything here is pure.
 */
export interface ToolLedger {
  tool: LedgerTool;
  /** The name of its table by default. */
  table: string;
  /** The schema of its own that it is kept in by default; null for the schema that the tool migrates. */
  schema: string | null;
  /** Columns that it has in every version of the tool: they tell it from another table of that name. */
  marks: readonly string[];
  /** Columns that it never has, where the ledger of another tool has the same name and columns. */
  lacks: readonly string[];
  /** Columns that `judge` reads where they are there. Times are left out: units of the same history have equal rows. */
  columns: readonly string[];
  /** Columns of which only it counts whether they have a value: their rows have true or false there. */
  filled: readonly string[];
  /** The column, or columns, that rows are read in order of. */
  order: readonly string[];
  /**
   * The session-level advisory lock that a run of the tool holds, or null where it takes none. Whoever cannot get it meets
   * a runner at work.
   */
  lockKey(place: ToolLedgerPlace, database: string): bigint | null;
  /** What the rows say of the files. Never guesses: what cannot be told is a problem. */
  judge(rows: readonly LedgerRow[], files: readonly MigrationFile[]): Judgement;
  /** What the tool itself would write for a file. */
  mirror: LedgerMirror;
}

/** What a ledger says. */
export interface Judgement {
  /** Numbers of the files that it records as applied, in order. */
  applied: number[];
  /**
   * Those of them that no row names: they are believed because of a later mark, so that only the unit's shape can bear
   * out that they ever ran.
   */
  inferred: number[];
  problems: LedgerProblem[];
}

/**
 * - `dirty`: a migration failed or was left half done
 * - `edited`: a file is not what was applied
 * - `ahead`: it records something newer than every file
 * - `unknown`: it records something that no file is, in between
 * - `gap`: a file is not recorded, but a later one is
 * - `unsure`: the tool's way of recording cannot tell whether a file ever ran
 */
export type LedgerProblemKind = 'dirty' | 'edited' | 'ahead' | 'unknown' | 'gap' | 'unsure';

export interface LedgerProblem {
  kind: LedgerProblemKind;
  /** One sentence without the unit's name: units with the same problem are told together. */
  message: string;
  /** What to do about it, with the tool's own command where there is one. */
  hint: string;
}

/** The time of the transaction: PostgreSQL reads this text as such in a column of any time type. */
export const NOW = 'now';
/** One more than the greatest value of that column in the table, or 1. */
export const NEXT = { next: true } as const;

export type MirrorValue = string | number | boolean | null | typeof NEXT;

/** A row that is written or removed, in the ledger's table or in one beside it. */
export interface MirrorRow {
  /** A table in the ledger's schema; null for the ledger itself, whatever its name there. */
  table: string | null;
  /** Values by column; columns that are left out have their default. */
  values: Readonly<Record<string, MirrorValue>>;
  /** Columns among them that older versions of the tool do not have: left out where the table lacks them. */
  newer?: readonly string[];
}

/** Removals go before insertions; a removal takes every row that has these values (null: that has none), all rows where no value is named. */
export interface MirrorChange {
  remove: MirrorRow[];
  insert: MirrorRow[];
}

/** Keeps a tool's ledger true: what it would have written itself. Null for a file whose row cannot be told from it. */
export interface LedgerMirror {
  /** After a file was applied. */
  applied(file: MigrationFile): MirrorChange | null;
  /** After a file was taken back; `before` is the newest one that stays, or null. */
  takenBack(file: MigrationFile, before: MigrationFile | null): MirrorChange | null;
}
