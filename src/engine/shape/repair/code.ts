import { type Change, type Mending, ORDER, quote } from './change.js';

/** Where a definition ends with the state that the object is in. */
const STATES: readonly [suffix: string, word: string][] = [
  [' (disabled)', 'disable'],
  [' (on replicas only)', 'enable replica'],
  [' (always)', 'enable always'],
];

interface Stated {
  definition: string;
  /** `disable`, or null where it simply fires. */
  state: string | null;
}

function statedIn(definition: string): Stated {
  const found = STATES.find(([suffix]) => definition.endsWith(suffix));
  return found === undefined
    ? { definition, state: null }
    : { definition: definition.slice(0, -found[0].length), state: found[1] };
}

/** A trigger, or a rule of a table, that is missing, extra, or otherwise than it should be. */
const mendFiring =
  (kind: 'trigger' | 'rule'): Mending =>
  (change) => {
    const { expected, actual, quoted, table, part, shapes } = change;
    const parent = shapes.parentOf(table);
    if (parent !== null && shapes.isThere(kind, `${parent}.${part}`) === false)
      if (shapes.differs(kind, `${parent}.${part}`)) return { order: 0, sql: [] };
    const drop = `drop ${kind} ${quoted.part} on ${quoted.table}`;
    if (expected === undefined) return { order: ORDER.dropOthers, sql: [drop] };
    const wanted = statedIn(expected.definition);
    const found = actual === undefined ? undefined : statedIn(actual.definition);
    const switched = `alter table ${quoted.table} ${wanted.state ?? 'enable'} ${kind} ${quoted.part}`;
    const made = found?.definition === wanted.definition ? [] : [wanted.definition.replace(/;$/, '')];
    const sql = [
      ...(found !== undefined && made.length > 0 ? ['begin', drop, ...made, 'commit'] : made),
      ...(wanted.state !== null || made.length === 0 ? [switched] : []),
    ];
    return { order: ORDER.others, sql };
  };

export const mendTrigger = mendFiring('trigger');
export const mendRule = mendFiring('rule');

/** A function or procedure. Its grants are those of whoever makes it anew. */
export const mendFunction: Mending = ({ expected, actual, line }) => {
  if (expected !== undefined) return { order: ORDER.functions, sql: [expected.definition.trimEnd()] };
  if (actual === undefined) return null;
  const name = line.name.slice(0, line.name.indexOf('('));
  const signature = `${quote(name)}${line.name.slice(name.length)}`;
  return { order: ORDER.dropFunctions, sql: [`drop ${line.kind} ${signature}`] };
};

/** A view: its query, and after the semicolon its options. */
export const mendView: Mending = ({ expected, quoted }) => {
  if (expected === undefined) return { order: ORDER.dropOthers, sql: [`drop view ${quoted.table}`] };
  const end = expected.definition.lastIndexOf(';');
  const options = expected.definition.slice(end + 1).trim();
  const having = options === '' ? '' : ` with (${options})`;
  return {
    order: ORDER.others,
    sql: [`create or replace view ${quoted.table}${having} as ${expected.definition.slice(0, end).trim()}`],
  };
};

export const mendStatistics: Mending = ({ expected, actual, quoted }: Change) => ({
  order: ORDER.others,
  sql: [
    ...(actual === undefined ? [] : [`drop statistics ${quoted.table}`]),
    ...(expected === undefined ? [] : [expected.definition]),
  ],
});
