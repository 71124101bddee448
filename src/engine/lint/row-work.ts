import { type Tree, nodesOf } from '../ledger/locks/tree.js';
import type { KnownTables } from './known-tables.js';
import type { Step } from './step.js';
import { columnName } from './type-names.js';

/** Rows of a table that was there, changed by one statement. */
export interface RowWork {
  table: string;
  verb: 'UPDATE' | 'DELETE' | 'INSERT … SELECT' | 'MERGE';
  /** Does a condition, or the rows of another table, say how many? */
  bounded: boolean;
}

const VERBS: Readonly<Record<string, RowWork['verb']>> = {
  UpdateStmt: 'UPDATE',
  DeleteStmt: 'DELETE',
  MergeStmt: 'MERGE',
  InsertStmt: 'INSERT … SELECT',
};

/** What a statement does to many rows; null when it does nothing of the kind, or names its rows one by one. */
export function rowWork(step: Step, known: KnownTables): RowWork | null {
  return ownWork(step, known) ?? workInWith(step, known);
}

function ownWork({ kind, body, table, effects }: Step, known: KnownTables): RowWork | null {
  const verb = VERBS[kind];
  if (verb === undefined || table === null) return null;
  if (!effects.some(({ relation }) => relation === table)) return null;
  if (kind === 'InsertStmt') return readsTables(body) ? { table, verb, bounded: true } : null;
  if (namesOneRow(body, table, known)) return null;
  return { table, verb, bounded: body['whereClause'] !== undefined || kind === 'MergeStmt' };
}

/** A DELETE or UPDATE inside a WITH. */
function workInWith(step: Step, known: KnownTables): RowWork | null {
  const { ctes } = (step.body['withClause'] ?? {}) as { ctes?: unknown };
  const queries = nodesOf(ctes, 'CommonTableExpr').flatMap(({ ctequery }) =>
    Object.entries(ctequery as Tree),
  );
  for (const [kind, body] of queries) {
    const table = String(((body as Tree)['relation'] as { relname?: string } | undefined)?.relname ?? '');
    const work = kind === 'SelectStmt' ? null : ownWork({ ...step, kind, body: body as Tree, table }, known);
    if (work !== null) return work;
  }
  return null;
}

/** INSERT … SELECT from tables that are there; VALUES, and a SELECT of constants, are a row or a few. */
function readsTables(body: Tree): boolean {
  const query = (body['selectStmt'] as { SelectStmt?: Tree } | undefined)?.SelectStmt;
  return query?.['fromClause'] !== undefined && nodesOf(query['fromClause'], 'RangeVar').length > 0;
}

/** `where id = 3`, with the whole of a unique key compared to constants. */
function namesOneRow(body: Tree, table: string, known: KnownTables): boolean {
  const compared = comparedColumns(body['whereClause']);
  const keys = known.get(table)?.keys.filter(({ unique }) => unique) ?? [];
  return keys.some(({ columns }) => columns.length > 0 && columns.every((column) => compared.has(column)));
}

function comparedColumns(where: unknown): ReadonlySet<string> {
  const { BoolExpr: and, A_Expr: comparison } = (where ?? {}) as { BoolExpr?: Tree; A_Expr?: Tree };
  if (and?.['boolop'] === 'AND_EXPR')
    return new Set((and['args'] as unknown[]).flatMap((part) => [...comparedColumns(part)]));
  const equals = nodesOf(comparison?.['name'], 'String').some(({ sval }) => sval === '=');
  const column = columnName(comparison?.['lexpr']);
  const plain = ['AEXPR_OP', 'AEXPR_IN'].includes(String(comparison?.['kind']));
  return equals && plain && column !== undefined && isConstant(comparison?.['rexpr'])
    ? new Set([column])
    : new Set();
}

function isConstant(node: unknown): boolean {
  const {
    A_Const: constant,
    TypeCast: cast,
    List: list,
  } = (node ?? {}) as {
    A_Const?: unknown;
    TypeCast?: Tree;
    List?: { items?: unknown[] };
  };
  if (cast !== undefined) return isConstant(cast['arg']);
  return constant !== undefined || list?.items?.every(isConstant) === true;
}
