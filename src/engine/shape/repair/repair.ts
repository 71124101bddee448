import { literal } from '../../../pg/sql.js';
import { differencesOf } from '../difference.js';
import type { Shape, ShapeKind } from '../shape.js';
import { type BrokenHome, Lookup, type Mending, changeOf, quote } from './change.js';
import { mendFunction, mendRule, mendStatistics, mendTrigger, mendView } from './code.js';
import { mendColumn } from './columns.js';
import { mendConstraint } from './constraints.js';
import { mendIndex } from './indexes.js';
import { mendPolicy } from './policies.js';
import { mendEnum, mendSequence, mendTable } from './tables.js';

/** The way back to how a home should look. */
export interface Repair {
  /** For a session whose search path begins with the home's schema, outside a transaction. */
  sql: string[];
  /** Differences, in words, that no statement is known for. */
  byHand: string[];
  /** What the statements throw away, in words. */
  loses: string[];
}

/** Kinds without an entry are mended by hand. */
const MENDINGS: Partial<Record<ShapeKind, Mending>> = {
  table: mendTable,
  column: mendColumn,
  constraint: mendConstraint,
  index: mendIndex,
  policy: mendPolicy,
  trigger: mendTrigger,
  rule: mendRule,
  function: mendFunction,
  procedure: mendFunction,
  view: mendView,
  sequence: mendSequence,
  enum: mendEnum,
  'statistics object': mendStatistics,
};

/**
 * Statements that make a home look like the reference again. They block nobody for longer than a catalog change takes:
 * indexes are built concurrently, constraints are validated after they were added.
 */
export function repairOf(reference: Shape, actual: Shape, home: BrokenHome): Repair {
  const differences = differencesOf(reference, actual);
  const shapes = new Lookup(reference, actual, differences);
  const mended = differences.map((difference) => {
    const change = changeOf(difference, shapes);
    return { difference, step: MENDINGS[change.line.kind]?.(change) ?? null };
  });
  const steps = mended.flatMap(({ step }) => step ?? []).toSorted((a, b) => a.order - b.order);
  return {
    sql: steps.flatMap(({ sql }) => sql).map((text) => named(text, home)),
    byHand: mended.flatMap(({ difference, step }) => (step === null ? [difference.text] : [])),
    loses: steps.flatMap(({ loses }) => loses ?? []),
  };
}

/** A definition with the names of the home where own-name.ts and lines-sql.ts have put marks. */
function named(text: string, { schema, owner }: BrokenHome): string {
  return text
    .replace(/(\n SET search_path TO [^\n]*)<schema>/g, (_, before: string) => before + literal(schema))
    .replaceAll('<schema>', `${literal(quote(schema))}::regnamespace`)
    .replace(/^(create policy .*? to [^(]*)<owner>/, (_, before: string) => before + quote(owner))
    .replaceAll('<owner>', literal(owner));
}
