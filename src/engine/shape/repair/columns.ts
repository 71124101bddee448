import { type Change, type Mending, ORDER, type Step } from './change.js';

interface ColumnParts {
  /** With its collation. */
  type: string;
  notNull: boolean;
  /** What follows DEFAULT, or null. */
  default: string | null;
  /** `generated …`, or null. */
  generated: string | null;
}

/** A definition as lines-sql.ts prints it; the first of its parts ends where the others can begin. */
const COLUMN =
  /^(?<type>[^]*?)(?<notNull> not null)?(?:(?<generated> generated (?:always|by default) as identity| generated always as \([^]*\) (?:stored|virtual))| default (?<value>[^]*))?$/;

function partsOf(definition: string): ColumnParts {
  const groups = COLUMN.exec(definition)?.groups ?? {};
  return {
    type: groups['type'] ?? definition,
    notNull: groups['notNull'] !== undefined,
    default: groups['value'] ?? null,
    generated: groups['generated'] ?? null,
  };
}

/** A column that is missing, extra, or otherwise than it should be. */
export const mendColumn: Mending = (change) => {
  const { expected, actual, table, part, shapes } = change;
  if (shapes.find('table', table) === undefined) return null;
  if (expected !== undefined && actual !== undefined)
    return alter(change, partsOf(expected.definition), partsOf(actual.definition));
  const parent = shapes.parentOf(table);
  // It comes and goes with that of the partitioned table.
  if (parent !== null) return shapes.differs('column', `${parent}.${part}`) ? { order: 0, sql: [] } : null;
  return expected === undefined ? drop(change) : add(change, partsOf(expected.definition));
};

/** Rows that are there have nothing to put into a column that must have something: that is filled by whoever knows what. */
function add({ quoted }: Change, wanted: ColumnParts): Step {
  const value = wanted.default === null ? (wanted.generated ?? '') : ` default ${wanted.default}`;
  const alone = wanted.notNull && value === '';
  const notNull = wanted.notNull && !alone ? ' not null' : '';
  const sql = [`alter table ${quoted.table} add column ${quoted.part} ${wanted.type}${notNull}${value}`];
  return { order: ORDER.columns, sql: alone ? [...sql, ...setNotNull(quoted)] : sql };
}

function drop({ quoted, line }: Change): Step {
  const sql = [`alter table ${quoted.table} drop column ${quoted.part}`];
  return { order: ORDER.dropColumns, sql, loses: `what column ${line.name} holds` };
}

/** Types, identities and generated columns ask for a rewrite, or for a decision. */
function alter({ quoted }: Change, wanted: ColumnParts, found: ColumnParts): Step | null {
  if (wanted.type !== found.type || wanted.generated !== found.generated) return null;
  const column = `alter table ${quoted.table} alter column ${quoted.part}`;
  const sql: string[] = [];
  if (wanted.default !== found.default)
    sql.push(wanted.default === null ? `${column} drop default` : `${column} set default ${wanted.default}`);
  if (wanted.notNull && !found.notNull) sql.push(...setNotNull(quoted));
  if (!wanted.notNull && found.notNull) sql.push(`${column} drop not null`);
  return { order: ORDER.definitions, sql };
}

/** By way of a check that is validated while others read and write: SET NOT NULL then has nothing left to look at. */
function setNotNull({ table, part }: Change['quoted']): string[] {
  const check = '"tenantctl_not_null"';
  return [
    `alter table ${table} add constraint ${check} check (${part} is not null) not valid`,
    `alter table ${table} validate constraint ${check}`,
    `alter table ${table} alter column ${part} set not null`,
    `alter table ${table} drop constraint ${check}`,
  ];
}
