import { type Mending, ORDER } from './change.js';

/** Lines of a table's definition that a statement can bring and take. */
const SWITCHES: readonly [line: string, on: string, off: string][] = [
  ['row level security enabled', 'enable row level security', 'disable row level security'],
  ['row level security forced', 'force row level security', 'no force row level security'],
  ['unlogged', 'set unlogged', 'set logged'],
];

/** A table that is extra, or whose own settings differ. One that is missing is made by the migrations that make it. */
export const mendTable: Mending = ({ expected, actual, quoted, table }) => {
  if (expected === undefined)
    return { order: ORDER.dropTables, sql: [`drop table ${quoted.table}`], loses: `table ${table}` };
  if (actual === undefined) return null;
  const [wanted, found] = [linesOf(expected.definition), linesOf(actual.definition)];
  const switched = SWITCHES.filter(([line]) => wanted.has(line) !== found.has(line));
  const others = [...wanted, ...found].filter((line) => wanted.has(line) !== found.has(line));
  if (others.length > switched.length) return null;
  const sql = switched.map(([line, on, off]) => `alter table ${quoted.table} ${wanted.has(line) ? on : off}`);
  return { order: ORDER.tables, sql };
};

const linesOf = (definition: string): Set<string> =>
  new Set(definition.split('\n').filter((line) => line !== ''));

/** `bigint start 1 increment 1 minimum 1 maximum 9 cache 1 cycle` */
const SEQUENCE =
  /^(?<type>.+?) start (?<start>-?\d+) increment (?<by>-?\d+) minimum (?<least>-?\d+) maximum (?<most>-?\d+) cache (?<cache>\d+)(?<cycle> cycle)?$/;

/** A sequence; one of an identity column, or of a table that goes, comes and goes with it. */
export const mendSequence: Mending = ({ expected, actual, quoted, line, shapes }) => {
  if (expected === undefined)
    return { order: ORDER.dropSequences, sql: [`drop sequence if exists ${quoted.table}`] };
  const groups = SEQUENCE.exec(expected.definition)?.groups;
  if (groups === undefined) return null;
  const verb = actual === undefined ? 'create' : 'alter';
  if (actual === undefined && shapes.comesWith(line.name)) return { order: 0, sql: [] };
  const { type, start, by, least, most, cache, cycle } = groups;
  return {
    order: ORDER.sequences,
    sql: [
      `${verb} sequence ${quoted.table} as ${type} increment by ${by} minvalue ${least} maxvalue ${most} start with ${start} cache ${cache} ${cycle === undefined ? 'no cycle' : 'cycle'}`,
    ],
  };
};

const LABELS = /'(?:[^']|'')*'/g;

/** Labels that are missing are added in their places; none can be taken away. */
export const mendEnum: Mending = ({ expected, actual, quoted }) => {
  if (expected === undefined || actual === undefined) return null;
  const [wanted, found] = [labelsOf(expected.definition), labelsOf(actual.definition)];
  if (found.some((label) => !wanted.includes(label))) return null;
  const sql = wanted.flatMap((label, index) => {
    if (found.includes(label)) return [];
    const after = wanted[index - 1];
    const place =
      after === undefined ? (found[0] === undefined ? '' : ` before ${found[0]}`) : ` after ${after}`;
    return [`alter type ${quoted.table} add value ${label}${place}`];
  });
  return sql.length === 0 ? null : { order: ORDER.functions, sql };
};

const labelsOf = (definition: string): string[] => definition.match(LABELS) ?? [];
