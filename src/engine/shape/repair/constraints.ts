import { type Change, type Mending, ORDER, type Step } from './change.js';

const NOT_VALID = ' NOT VALID';
/** Made of an index that is built beside the applications' work. */
const BY_INDEX = /^(UNIQUE|PRIMARY KEY)\b/;
const DEFERRABLE = /( DEFERRABLE)?( INITIALLY DEFERRED)?$/;

/** A constraint of a table that is missing, extra, or otherwise than it should be. */
export const mendConstraint: Mending = (change) => {
  const { expected, actual, table, part, shapes } = change;
  if (shapes.find('table', table) === undefined) return null;
  const parent = shapes.parentOf(table);
  if (parent !== null)
    return shapes.differs('constraint', `${parent}.${part}`) ? { order: 0, sql: [] } : null;
  if (expected === undefined) return drop(change);
  const added = add(change, expected.definition);
  if (actual === undefined || added === null) return added;
  const sql = validates(expected.definition, actual.definition)
    ? [validate(change)]
    : [...drop(change).sql, ...added.sql];
  return { order: added.order, sql };
};

function drop({ quoted, line }: Change): Step {
  // What refers to a key goes before the key.
  const order = line.definition.startsWith('FOREIGN KEY') ? ORDER.dropKeys : ORDER.dropConstraints;
  return { order, sql: [`alter table ${quoted.table} drop constraint ${quoted.part}`] };
}

const validate = ({ quoted }: Change): string =>
  `alter table ${quoted.table} validate constraint ${quoted.part}`;

const validates = (expected: string, actual: string): boolean => actual === expected + NOT_VALID;

function add(change: Change, definition: string): Step | null {
  const { quoted, shapes, table, part } = change;
  const statement = `alter table ${quoted.table} add constraint ${quoted.part}`;
  if (BY_INDEX.test(definition)) {
    const index = shapes.find('index', part);
    if (shapes.isPartitioned(table) || index === undefined) return key(`${statement} ${definition}`);
    const kind = BY_INDEX.exec(definition)?.[0];
    return {
      order: ORDER.constraints,
      sql: [
        concurrently(index.definition),
        `${statement} ${kind} using index ${quoted.part}${DEFERRABLE.exec(definition)?.[0] ?? ''}`,
      ],
    };
  }
  const looked = /^(?:CHECK|FOREIGN KEY)\b/.test(definition) && !definition.endsWith(NOT_VALID);
  if (!looked || shapes.isPartitioned(table)) return key(`${statement} ${definition}`);
  return { order: ORDER.keys, sql: [`${statement} ${definition}${NOT_VALID}`, validate(change)] };
}

const key = (sql: string): Step => ({ order: ORDER.constraints, sql: [sql] });

/** `CREATE INDEX …` as the server prints it, beside the applications' work. */
export function concurrently(definition: string): string {
  return definition
    .replace(/^CREATE (UNIQUE )?INDEX /, 'CREATE $1INDEX CONCURRENTLY ')
    .replace(/ \(invalid\)$/, '');
}
