import type { MigrationFile } from '../format.js';
import { type Recorded, type Remedies, judgeSet, problem } from './judging.js';
import type { Judgement, LedgerProblem } from './ledger.js';

/**
 * How the SQL files of a directory name migrations that are programs of another tool: what follows our number is that tool's
 * own name. A file without one is ours alone. The first file with a name is a baseline: it stands for everything up to it
 * that has no file.
 */
export interface ProgramNames {
  nameOf(file: MigrationFile): string | null;
  /** Is what is recorded a part of what the first of these files stands for? */
  before(recorded: string, named: readonly MigrationFile[]): boolean;
  /** Is what is recorded newer than all of these files? */
  newer(recorded: string, named: readonly MigrationFile[]): boolean;
  remedies: Remedies & {
    /** Brings a unit up to a name. */
    bring(name: string): string;
  };
}

/** What follows our own number. */
export const afterNumber = ({ name }: MigrationFile): string => name.replace(/^\d+[-_]?/, '');

/** Judges a ledger of such names by the files that have one. */
export function judgePrograms(
  names: readonly string[],
  files: readonly MigrationFile[],
  rules: ProgramNames,
): Judgement {
  const named = files.filter((file) => rules.nameOf(file) !== null);
  const byName = new Map(named.map((file) => [rules.nameOf(file), file]));
  const [first] = named;
  const begun = names.some((name) => byName.has(name));
  const early = names.filter((name) => !byName.has(name) && rules.before(name, named));
  const recorded: Recorded[] = names
    .filter((name) => !early.includes(name))
    .map((name) => ({ label: name, file: byName.get(name), newer: rules.newer(name, named) }));
  const { problems, ...rest } = judgeSet(recorded, named, rules.remedies);
  return {
    ...rest,
    problems: [
      ...problems,
      ...(begun || first === undefined ? [] : halfWay(early, first, rules)),
      ...unnamed(files, rest.applied, rules),
    ],
  };
}

/** The baseline cannot be applied to what has a part of it. */
function halfWay(
  early: readonly string[],
  first: MigrationFile,
  { nameOf, remedies }: ProgramNames,
): LedgerProblem[] {
  return problem('unknown', early.slice(-1), {
    message: (name) => `It stands at ${name}, in the midst of what ${first.fileName} stands for`,
    hint: `Bring it up to there with ${remedies.bring(String(nameOf(first)))}; then adopt again.`,
  });
}

function unnamed(
  files: readonly MigrationFile[],
  applied: readonly number[],
  { nameOf }: ProgramNames,
): LedgerProblem[] {
  const last = applied.at(-1) ?? 0;
  const ours = files.filter((file) => file.id < last && nameOf(file) === null);
  return problem(
    'unsure',
    ours.map(({ fileName }) => fileName),
    {
      message: (listed) =>
        `${listed}: a later file is recorded as applied, but this name is none of that tool's`,
      hint: 'Let the name say, after the number, which migration it is; then adopt again.',
    },
  );
}
