import { indexBy } from '../../core/group-by.js';
import type { Shape, ShapeKind, ShapeLine } from './shape.js';

/** Longer definitions than this are told by the first line in which they differ. */
const SHORT = 200;

/** One object that two shapes do not have in common, or have otherwise. */
export interface Difference {
  /** As the reference has it; undefined for what is extra. */
  expected: ShapeLine | undefined;
  /** As it is; undefined for what is missing. */
  actual: ShapeLine | undefined;
  /** In one sentence. */
  text: string;
}

/** The differences as `differencesOf` finds them, in sentences only. */
export function differenceOf(reference: Shape, actual: Shape): string[] {
  return differencesOf(reference, actual).map(({ text }) => text);
}

/**
 * What `actual` has other than `reference`, in sentences a person can act on, in order of the objects'
 * names. A table that is missing or extra is told in one sentence, without its columns and indexes.
 */
export function differencesOf(reference: Shape, actual: Shape): Difference[] {
  const expected = indexBy(reference.lines, keyOf);
  const found = indexBy(actual.lines, keyOf);
  const missing = reference.lines.filter((line) => !found.has(keyOf(line)));
  const extra = actual.lines.filter((line) => !expected.has(keyOf(line)));
  const changed = reference.lines.flatMap((line) => {
    const other = found.get(keyOf(line));
    return other === undefined || other.definition === line.definition ? [] : [{ line, other }];
  });
  return [
    ...tellApart(missing).map((line) => ({ expected: line, actual: undefined, text: missingSentence(line) })),
    ...tellApart(extra).map((line) => ({
      expected: undefined,
      actual: line,
      text: `${subject(line)} is extra`,
    })),
    ...changed.map(({ line, other }) => ({
      expected: line,
      actual: other,
      text: changedSentence(line, other),
    })),
  ].sort((a, b) => compare(nameOf(a), nameOf(b)) || compare(a.text, b.text));
}

/** What a difference is about, as `index bill_cents`. */
export function objectOf({ expected, actual }: Difference): string {
  const line = (expected ?? actual) as ShapeLine;
  return `${line.kind} ${line.name}`;
}

/** The differences in objects that are not among those that are tolerated. */
export function untolerated(
  differences: readonly Difference[],
  tolerated: readonly string[] = [],
): Difference[] {
  return differences.filter((difference) => !tolerated.includes(objectOf(difference)));
}

const nameOf = ({ expected, actual }: Difference): string => (expected ?? actual)?.name ?? '';

const keyOf = ({ kind, name }: ShapeLine): string => `${kind}\t${name}`;
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Without the parts of a table or type that is itself in the list, and without what a constraint brings along. */
function tellApart(lines: readonly ShapeLine[]): ShapeLine[] {
  const wholes = new Set(lines.filter(({ kind }) => WHOLES.has(kind)).map(({ name }) => name));
  const constraints = new Set(
    lines.filter(({ kind }) => kind === 'constraint').map(({ name }) => ownPart(name)),
  );
  return lines.filter(({ kind, name, definition }) => {
    if (PARTS.has(kind)) return !wholes.has(tableOf(name));
    if (kind === 'index') return !constraints.has(name) && !wholes.has(indexedTable(definition));
    return true;
  });
}

const WHOLES: ReadonlySet<ShapeKind> = new Set([
  'table',
  'view',
  'materialized view',
  'composite type',
  'domain',
]);
const PARTS: ReadonlySet<ShapeKind> = new Set(['column', 'constraint', 'policy', 'trigger', 'rule']);

const tableOf = (name: string): string => name.slice(0, name.indexOf('.'));
const ownPart = (name: string): string => name.slice(name.indexOf('.') + 1);

function indexedTable(definition: string): string {
  const name = / ON (?:ONLY )?("(?:[^"]|"")+"|[^ ]+) USING /.exec(definition)?.[1] ?? '';
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name;
}

function subject({ kind, name }: ShapeLine): string {
  if (kind === 'column') return `column ${name}`;
  return PARTS.has(kind) ? `${kind} ${ownPart(name)} of ${tableOf(name)}` : `${kind} ${name}`;
}

function missingSentence(line: ShapeLine): string {
  return line.kind === 'column'
    ? `table ${tableOf(line.name)} lacks column ${ownPart(line.name)}`
    : `${subject(line)} is missing`;
}

const INVALID = ' (invalid)';

/** States that PostgreSQL prints at the end of a definition. */
const STATES: readonly [suffix: string, words: string, without: string][] = [
  [' NOT VALID', 'is not validated', 'is validated, which it should not be yet'],
  [' NOT ENFORCED', 'is not enforced', 'is enforced'],
  [INVALID, 'is invalid', 'is valid'],
  [' (disabled)', 'is disabled', 'is enabled'],
];

/**
 * Is an object there as it should be, but out of work: an invalid index, a constraint that is not validated, a disabled
 * trigger, an unlogged table? Or is it all that a build has left?
 */
export function isOutOfWork({ expected, actual }: Difference): boolean {
  if (actual === undefined) return false;
  if (expected === undefined) return actual.kind === 'index' && actual.definition.endsWith(INVALID);
  if (expected.kind === 'table')
    return (
      actual.definition
        .split('\n')
        .filter((line) => line !== 'unlogged')
        .join('\n') === expected.definition
    );
  return STATES.some(([suffix]) => actual.definition === expected.definition + suffix);
}

function changedSentence(expected: ShapeLine, actual: ShapeLine): string {
  for (const [suffix, words, without] of STATES) {
    if (actual.definition === expected.definition + suffix) return `${subject(expected)} ${words}`;
    if (expected.definition === actual.definition + suffix) return `${subject(expected)} ${without}`;
  }
  if (expected.kind === 'column')
    return `${subject(expected)} is ${actual.definition}, not ${expected.definition}`;
  return `${subject(expected)} differs: ${contrast(expected.definition, actual.definition)}`;
}

function contrast(expected: string, actual: string): string {
  const multiline = expected.includes('\n') || actual.includes('\n');
  if (!multiline && expected.length <= SHORT && actual.length <= SHORT)
    return `it is ${quote(actual)}, not ${quote(expected)}`;
  const [wanted, given] = [expected.split('\n'), actual.split('\n')];
  const at = wanted.findIndex((line, index) => line !== given[index]);
  const line = at < 0 ? wanted.length : at;
  return `line ${line + 1} is ${quote(given[line] ?? '')}, not ${quote(wanted[line] ?? '')}`;
}

function quote(text: string): string {
  const trimmed = text.trim();
  if (trimmed === '') return 'nothing';
  return trimmed.length > SHORT ? `${trimmed.slice(0, SHORT)}…` : trimmed;
}
