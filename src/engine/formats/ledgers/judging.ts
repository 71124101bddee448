import type { MigrationFile } from '../format.js';
import type { Judgement, LedgerProblem, LedgerProblemKind } from './ledger.js';

/** Something that a ledger records as applied. */
export interface Recorded {
  /** What people of that tool call it. */
  label: string;
  file: MigrationFile | undefined;
  /** Where no file is it: is it newer than every file, by the tool's own order? */
  newer: boolean;
}

/** What a person of that tool does about what is found. */
export interface Remedies {
  /** Where a file is not recorded, but a later one is. */
  gap: string;
  /** Takes a record away whose file is gone for good. */
  forget: string;
}

/** Judges a ledger that has a row for everything that was applied. */
export function judgeSet(
  recorded: readonly Recorded[],
  files: readonly MigrationFile[],
  remedies: Remedies,
): Judgement {
  const applied = appliedOf(recorded);
  const missing = gapsIn(applied, files);
  return {
    applied,
    inferred: [],
    problems: [
      ...strangersAmong(recorded, remedies),
      ...problem('gap', missing, {
        message: (names) => `${names}: not recorded as applied, although a later file is`,
        hint: `${remedies.gap}; then adopt again.`,
      }),
    ],
  };
}

/** Numbers of the files that are recorded, in order. */
function appliedOf(recorded: readonly Recorded[]): number[] {
  const numbers = recorded.flatMap(({ file }) => (file === undefined ? [] : [file.id]));
  return [...new Set(numbers)].sort((a, b) => a - b);
}

/** What is recorded and is no file. */
function strangersAmong(recorded: readonly Recorded[], { forget }: Remedies): LedgerProblem[] {
  const strangers = recorded.filter(({ file }) => file === undefined);
  const labels = (newer: boolean) => strangers.filter((it) => it.newer === newer).map(({ label }) => label);
  return [
    ...problem('ahead', labels(true), {
      message: (names) => `It records ${names}, newer than every file of the directory`,
      hint: 'Bring the migration directory up to date, so that it has what was applied here; then adopt again.',
    }),
    ...problem('unknown', labels(false), {
      message: (names) => `It records ${names}, which no file of the directory is`,
      hint: `Put what was applied back into the directory, or, if it is gone for good, ${forget}; then adopt again.`,
    }),
  ];
}

function gapsIn(applied: readonly number[], files: readonly MigrationFile[]): string[] {
  const last = applied.at(-1) ?? 0;
  return files.filter(({ id }) => id < last && !applied.includes(id)).map(({ fileName }) => fileName);
}

/** Files whose text is not what was applied. */
export function editedProblem(files: readonly MigrationFile[], remedy: string): LedgerProblem[] {
  const names = files.map(({ fileName }) => fileName);
  return problem('edited', names, {
    message: (listed) => `${listed}: the text is not what was applied, by its checksum`,
    hint: `Restore the text that was applied from your version control, or, if it was meant, ${remedy}; then adopt again.`,
  });
}

/** One problem for all of these, or none. */
export function problem(
  kind: LedgerProblemKind,
  names: readonly string[],
  { message, hint }: { message: (names: string) => string; hint: string },
): LedgerProblem[] {
  return names.length === 0 ? [] : [{ kind, message: message(namesOf(names)), hint }];
}

const NAMED = 5;

function namesOf(names: readonly string[]): string {
  const more = names.length - NAMED;
  return more > 0 ? `${names.slice(0, NAMED).join(', ')} and ${more} more` : names.join(', ');
}

/** The bytes that a file may have had when it was applied: its line ends, and a mark in front, depend on the checkout. */
export function textsOf({ source }: MigrationFile): string[] {
  const windows = source.replaceAll('\n', '\r\n');
  return [source, windows, `\uFEFF${source}`, `\uFEFF${windows}`];
}

/** A column of a row as text; null where it has none. */
export function textOf(row: Readonly<Record<string, unknown>>, column: string): string | null {
  const value = row[column];
  return value === null || value === undefined ? null : String(value);
}
