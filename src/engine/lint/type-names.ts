import { type Tree, partsOf } from '../ledger/locks/tree.js';

/** A column's type: its bare name, with what stands in brackets behind it. */
export interface ColumnType {
  name: string;
  modifiers: readonly number[];
  array: boolean;
}

/** Reads a type as the parser has it. */
export function typeOf(node: unknown): ColumnType {
  const { names, typmods, arrayBounds } = (node ?? {}) as Record<string, unknown>;
  const numbers = ((typmods ?? []) as { A_Const?: { ival?: { ival?: number } } }[]).flatMap(
    ({ A_Const: constant }) => constant?.ival?.ival ?? [],
  );
  return { name: partsOf(names ?? []).at(-1) ?? '', modifiers: numbers, array: arrayBounds !== undefined };
}

/** Types that take up every text as it is. */
const TEXTS = new Set(['varchar', 'text']);

/** Does a column keep its rows as they are, unread, when it gets another type? */
export function readsTheSame(before: ColumnType, after: ColumnType): boolean {
  if (before.array !== after.array) return false;
  if (TEXTS.has(before.name) && TEXTS.has(after.name)) return widerText(before, after);
  if (before.name !== after.name) return before.name === 'cidr' && after.name === 'inet';
  if (before.modifiers.join() === after.modifiers.join()) return true;
  if (before.name === 'numeric') return widerNumber(before, after);
  return before.name === 'varbit' && widerText(before, after);
}

function widerText({ modifiers: [before] }: ColumnType, { modifiers: [after] }: ColumnType): boolean {
  return after === undefined || (before !== undefined && after >= before);
}

function widerNumber({ modifiers: before }: ColumnType, { modifiers: after }: ColumnType): boolean {
  if (after.length === 0) return true;
  const [digits = 0, scale = 0] = before;
  return before.length > 0 && (after[0] ?? 0) >= digits && (after[1] ?? 0) === scale;
}

/** The columns that an expression names. */
export function columnName(node: unknown): string | undefined {
  const column = (node as { ColumnRef?: Tree } | undefined)?.ColumnRef;
  return column === undefined ? undefined : partsOf(column['fields']).at(-1);
}
