import { parseScript } from '../ledger/parser.js';

/** What the condition of a policy says about the tenant. */
export interface Condition {
  /** Does every way to be true compare the tenant column with what the session says? */
  holdsTenant: boolean;
  /** Is there a way to be true that asks for nothing? */
  alwaysTrue: boolean;
  /** Is it true for a session that has set no tenant? */
  failsOpen: boolean;
  /** Does it ask another table or function, so that the condition alone does not tell? */
  asksElsewhere: boolean;
  /** Does it read a setting in a way that throws while the setting is missing or empty? */
  bareSetting: boolean;
  /** The settings that it reads. */
  settings: string[];
}

type Node = Readonly<Record<string, unknown>>;

/** Reads a condition as `pg_get_expr` writes it. The parser must be loaded. */
export function readCondition(text: string, column: string): Condition {
  const node = parseExpression(text);
  const calls = nodesOf(node, 'FuncCall').filter((call) => functionName(call) === 'current_setting');
  return {
    holdsTenant: holdsTenant(node, column),
    alwaysTrue: isTrue(node),
    failsOpen: failsOpen(node, column),
    asksElsewhere: nodesOf(node, 'SubLink').length > 0,
    bareSetting: calls.some((call) => listOf(call['args']).length < 2) || bareCasts(node),
    settings: [...new Set(calls.map((call) => constantText(listOf(call['args'])[0])))],
  };
}

function parseExpression(text: string): Node {
  const { statements } = parseScript({ fileName: 'policy', path: 'policy', sql: `select ${text}` });
  const [target] = listOf(statements[0]?.body['targetList']);
  return inner(target, 'ResTarget')?.['val'] as Node;
}

function inner(node: unknown, kind: string): Node | undefined {
  return (node as Record<string, Node | undefined> | undefined)?.[kind];
}

function listOf(value: unknown): Node[] {
  return (value ?? []) as Node[];
}

/** All nodes of a kind within a node, itself included. */
function nodesOf(value: unknown, kind: string): Node[] {
  if (Array.isArray(value)) return value.flatMap((item) => nodesOf(item, kind));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, child]) => [
    ...(name === kind ? [child as Node] : []),
    ...nodesOf(child, kind),
  ]);
}

function functionName(call: Node): string {
  return textOf(listOf(call['funcname']).at(-1));
}

function textOf(node: unknown): string {
  return (inner(node, 'String')?.['sval'] as string | undefined) ?? '';
}

/** The text of a constant, under whatever casts. */
function constantText(node: unknown): string {
  const [constant] = nodesOf(node, 'A_Const');
  return ((constant?.['sval'] as Node | undefined)?.['sval'] as string | undefined) ?? '';
}

function boolean(node: Node): { word: string; args: Node[] } | undefined {
  const expression = inner(node, 'BoolExpr');
  return expression && { word: String(expression['boolop']), args: listOf(expression['args']) };
}

function isTrue(node: Node): boolean {
  const logic = boolean(node);
  if (logic?.word === 'OR_EXPR') return logic.args.some(isTrue);
  if (logic?.word === 'AND_EXPR') return logic.args.every(isTrue);
  const constant = inner(node, 'A_Const')?.['boolval'] as Node | undefined;
  return constant?.['boolval'] === true || comparesConstants(node);
}

/** `1 = 1` */
function comparesConstants(node: Node): boolean {
  const comparison = equality(node);
  if (comparison === undefined) return false;
  const { lexpr, rexpr } = comparison;
  const plain = [lexpr, rexpr].every((side) => inner(uncast(side), 'A_Const') !== undefined);
  return plain && valueOf(lexpr) === valueOf(rexpr);
}

function valueOf(node: Node): string {
  const { location: _, ...value } = inner(uncast(node), 'A_Const') ?? {};
  return JSON.stringify(value);
}

function uncast(node: Node): Node {
  const cast = inner(node, 'TypeCast');
  return cast === undefined ? node : uncast(cast['arg'] as Node);
}

function isFalse(node: Node): boolean {
  const constant = inner(uncast(node), 'A_Const');
  return constant?.['boolval'] !== undefined && (constant['boolval'] as Node)['boolval'] !== true;
}

const EQUALITIES = new Set(['AEXPR_OP', 'AEXPR_OP_ANY', 'AEXPR_IN', 'AEXPR_NOT_DISTINCT']);

function equality(node: Node): { lexpr: Node; rexpr: Node } | undefined {
  const expression = inner(node, 'A_Expr');
  if (expression === undefined || !EQUALITIES.has(String(expression['kind']))) return undefined;
  if (textOf(listOf(expression['name'])[0]) !== '=') return undefined;
  return { lexpr: expression['lexpr'] as Node, rexpr: expression['rexpr'] as Node };
}

function holdsTenant(node: Node, column: string): boolean {
  const logic = boolean(node);
  if (logic?.word === 'AND_EXPR') return logic.args.some((arg) => holdsTenant(arg, column));
  if (logic?.word === 'OR_EXPR') return logic.args.every((arg) => holdsTenant(arg, column));
  if (logic !== undefined) return false;
  if (isFalse(node)) return true;
  const choice = inner(node, 'CaseExpr');
  if (choice !== undefined) return resultsOf(choice).every((result) => holdsTenant(result, column));
  const comparison = equality(node);
  if (comparison !== undefined) return comparesTenant(comparison, column);
  const link = inner(node, 'SubLink');
  if (link?.['testexpr'] !== undefined) return isColumn(link['testexpr'] as Node, column);
  // What a function makes of the column is its own affair: only a probe can tell.
  const call = inner(node, 'FuncCall');
  return call !== undefined && listOf(call['args']).some((arg) => isColumn(arg, column));
}

/** A CASE without ELSE ends in NULL, which admits nothing. */
function resultsOf(choice: Node): Node[] {
  const branches = listOf(choice['args']).map((when) => inner(when, 'CaseWhen')?.['result'] as Node);
  return choice['defresult'] === undefined ? branches : [...branches, choice['defresult'] as Node];
}

function comparesTenant({ lexpr, rexpr }: { lexpr: Node; rexpr: Node }, column: string): boolean {
  return holdsColumnTo(lexpr, rexpr, column) || holdsColumnTo(rexpr, lexpr, column);
}

/** A constant is a tenant of its own, and the column itself is equal to itself. */
function holdsColumnTo(side: Node, other: Node, column: string): boolean {
  if (!isColumn(side, column) || mentionsColumn(other, column)) return false;
  return ['FuncCall', 'SubLink', 'SQLValueFunction'].some((kind) => nodesOf(other, kind).length > 0);
}

function isColumn(node: Node, column: string): boolean {
  const reference = inner(uncast(node), 'ColumnRef');
  return reference !== undefined && textOf(listOf(reference['fields']).at(-1)) === column;
}

function mentionsColumn(node: unknown, column: string): boolean {
  return nodesOf(node, 'ColumnRef').some(({ fields }) => textOf(listOf(fields).at(-1)) === column);
}

function readsSetting(node: unknown): boolean {
  return nodesOf(node, 'FuncCall').some((call) => functionName(call) === 'current_setting');
}

/** A branch that asks only whether the setting is there, or a comparison that falls back on the column itself. */
function failsOpen(node: Node, column: string): boolean {
  const logic = boolean(node);
  if (logic?.word === 'OR_EXPR') return logic.args.some((arg) => failsOpen(arg, column));
  if (logic?.word === 'AND_EXPR') return logic.args.every((arg) => failsOpen(arg, column));
  const absent = inner(node, 'NullTest');
  if (absent !== undefined) return absent['nulltesttype'] === 'IS_NULL' && readsSetting(absent['arg']);
  const comparison = equality(node);
  if (comparison === undefined) return false;
  const { lexpr, rexpr } = comparison;
  const empty = [lexpr, rexpr].some((side) => valueOf(side) === EMPTY);
  if (empty) return readsSetting([lexpr, rexpr]);
  return mentionsColumn(lexpr, column) && mentionsColumn(rexpr, column) && readsSetting([lexpr, rexpr]);
}

const EMPTY = JSON.stringify({ sval: { sval: '' } });

/** Casts to another type than text of what `current_setting` gives: of an empty text they throw. */
function bareCasts(node: Node): boolean {
  return nodesOf(node, 'TypeCast').some(({ arg, typeName }) => {
    const call = inner(arg, 'FuncCall');
    if (call === undefined || functionName(call) !== 'current_setting') return false;
    return !TEXTS.has(textOf(listOf((typeName as Node)['names']).at(-1)));
  });
}

const TEXTS = new Set(['text', 'varchar', 'bpchar', 'name']);
