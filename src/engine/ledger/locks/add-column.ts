import type { Row } from './effect.js';
import { type Tree, findAll, nodesOf, partsOf } from './tree.js';

/** What ALTER TABLE … ADD COLUMN does to the table. */
export function addColumn({ def }: Tree): Row {
  const column = ((def as { ColumnDef?: Tree } | undefined)?.ColumnDef ?? {}) as Tree;
  const constraints = nodesOf(column['constraints'], 'Constraint');
  const [rewrites, why] = rewriting(column, constraints);
  const scans = rewrites === true || looksUpRows(constraints) || constraints.some(isChecked);
  return ['ACCESS EXCLUSIVE', rewrites, scans, why];
}

/** Constraints that every row is held to at once; NOT NULL is answered by the one default of all rows. */
const CHECKED = new Set(['CONSTR_CHECK', 'CONSTR_UNIQUE', 'CONSTR_PRIMARY']);

const isChecked = ({ contype }: Tree): boolean => CHECKED.has(String(contype));

/** Is the new column a foreign key that has a value in the rows which are there? */
export function looksUpRows(constraints: readonly Tree[]): boolean {
  const kinds = new Set(constraints.map(({ contype }) => contype));
  return kinds.has('CONSTR_FOREIGN') && kinds.has('CONSTR_DEFAULT');
}

type Rewriting = [rewrites: boolean | 'maybe', why: string];

function rewriting(column: Tree, constraints: Tree[]): Rewriting {
  const find = (kind: string) => constraints.find(({ contype }) => contype === kind);
  const type = partsOf((column['typeName'] as Tree | undefined)?.['names'] ?? []);
  const generated = find('CONSTR_GENERATED');
  if (generated !== undefined) {
    return generated['generated_kind'] === 'v'
      ? [false, 'adds a column that is computed when it is read']
      : [true, 'computes the new column for every row'];
  }
  if (find('CONSTR_IDENTITY') !== undefined || SERIAL.has(type[0] ?? ''))
    return [true, 'numbers every row in the new column'];
  const given = find('CONSTR_DEFAULT')?.['raw_expr'];
  const computed = given === undefined ? false : isVolatile(given);
  if (computed === true) return [true, 'computes the default anew for every row'];
  if (computed === 'maybe') return ['maybe', 'rewrites every row if a function in the default is volatile'];
  if (!isBuiltIn(type)) return ['maybe', 'rewrites every row if the type is a domain with a constraint'];
  return [false, 'adds a column without touching the rows'];
}

const SERIAL = new Set(['serial', 'bigserial', 'smallserial', 'serial2', 'serial4', 'serial8']);

/** The words of a text. */
function words(text: string): ReadonlySet<string> {
  return new Set(text.trim().split(/\s+/));
}

const VOLATILE = words(`
  random gen_random_uuid uuid_generate_v1 uuid_generate_v1mc uuid_generate_v4 uuidv4 uuidv7
  clock_timestamp timeofday nextval setval gen_random_bytes random_normal`);
const STEADY = words(`
  now transaction_timestamp statement_timestamp current_setting current_database current_schema
  lower upper md5 concat format date_trunc timezone make_interval make_date to_timestamp to_char
  jsonb_build_object jsonb_build_array json_build_object json_build_array to_jsonb to_json
  array_fill repeat round abs floor ceil`);

/** Functions of the server that are known by their names: they change nothing but a sequence. */
export const WELL_KNOWN: ReadonlySet<string> = new Set([...VOLATILE, ...STEADY]);

/** A default whose functions answer the same for all rows of a statement is stored once, beside the table. */
function isVolatile(expression: unknown): boolean | 'maybe' {
  const functions = findAll(expression, 'FuncCall').map(({ funcname }) => partsOf(funcname).at(-1) ?? '');
  if (functions.some((name) => VOLATILE.has(name))) return true;
  return functions.every((name) => STEADY.has(name)) ? false : 'maybe';
}

const BUILT_IN = words(`
  text uuid json jsonb bytea date time timetz timestamp timestamptz inet cidr macaddr int2 int4
  int8 float4 float8 bool numeric varchar bpchar name money xml tsvector tsquery point oid citext
  int4range int8range numrange tsrange tstzrange daterange interval bit varbit char`);

function isBuiltIn(type: string[]): boolean {
  return type.length > 1 ? type[0] === 'pg_catalog' : BUILT_IN.has(type[0] ?? '');
}
