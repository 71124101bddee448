import { indexBy } from '../../../core/group-by.js';
import { ident } from '../../../pg/sql.js';
import type { Difference } from '../difference.js';
import type { Shape, ShapeKind, ShapeLine } from '../shape.js';

/** The home that is to be mended. */
export interface BrokenHome {
  schema: string;
  /** Whoever owns its tables: policies of ours speak of them. */
  owner: string;
}

/** Statements that undo one difference; none where another step brings it along. */
export interface Step {
  /** Steps go in this order. */
  order: number;
  sql: string[];
  /** What is thrown away with it, in words. */
  loses?: string;
}

/** One difference, with all there is to know for mending it. */
export interface Change {
  expected: ShapeLine | undefined;
  actual: ShapeLine | undefined;
  /** Whichever there is. */
  line: ShapeLine;
  /** The table that it is a part of, and its own name; the same name twice for what stands alone. */
  table: string;
  part: string;
  /** Quoted. The home's schema comes first on the search path. */
  quoted: { table: string; part: string };
  shapes: Lookup;
}

/** A way to mend one kind of object; null where somebody has to do it by hand. */
export type Mending = (change: Change) => Step | null;

/** In which order: what others build upon first, what throws rows away last. */
export const ORDER = {
  functions: 10,
  sequences: 15,
  columns: 20,
  tables: 25,
  definitions: 30,
  dropKeys: 40,
  dropConstraints: 41,
  indexes: 50,
  constraints: 60,
  keys: 61,
  others: 65,
  dropOthers: 70,
  dropFunctions: 75,
  dropColumns: 80,
  dropTables: 90,
  dropSequences: 95,
} as const;

/** Finds lines of both shapes by kind and name. */
export class Lookup {
  private readonly expected: ReadonlyMap<string, ShapeLine>;
  private readonly actual: ReadonlyMap<string, ShapeLine>;
  private readonly different: ReadonlySet<string>;

  constructor(reference: Shape, actual: Shape, differences: readonly Difference[]) {
    this.expected = indexBy(reference.lines, keyOf);
    this.actual = indexBy(actual.lines, keyOf);
    this.different = new Set(
      differences.flatMap(({ expected, actual: found }) =>
        [expected, found].flatMap((line) => (line === undefined ? [] : [keyOf(line)])),
      ),
    );
  }

  find(kind: ShapeKind, name: string): ShapeLine | undefined {
    return this.expected.get(keyOf({ kind, name })) ?? this.actual.get(keyOf({ kind, name }));
  }

  /** Is this the sequence of a column that is missing and numbers itself, or of a table that is missing? */
  comesWith(sequence: string): boolean {
    return [...this.expected.values()].some(
      (line) =>
        !this.actual.has(keyOf(line)) &&
        ((line.kind === 'table' && sequence.startsWith(`${line.name}_`)) ||
          (line.kind === 'column' &&
            line.definition.endsWith('as identity') &&
            sequence === `${line.name.replace('.', '_')}_seq`)),
    );
  }

  isThere(kind: ShapeKind, name: string): boolean {
    return this.actual.has(keyOf({ kind, name }));
  }

  /** The tables that something in the list of differences belongs to may have a dot in their names: the longest that fits. */
  ownerOf({ name }: ShapeLine): string {
    const ends = [...name.matchAll(/\./g)].map(({ index }) => name.slice(0, index)).toReversed();
    const kinds = ['table', 'view', 'materialized view', 'composite type', 'domain'] as const;
    return (
      ends.find((end) => kinds.some((kind) => this.find(kind, end) !== undefined)) ?? ends.at(-1) ?? name
    );
  }

  isPartitioned(table: string): boolean {
    return this.find('table', table)?.definition.startsWith('partitioned by') === true;
  }

  /** The table that this one is a partition of, or null. */
  parentOf(table: string): string | null {
    const parent = /^partition of (.*)$/m.exec(this.find('table', table)?.definition ?? '')?.[1];
    return parent === undefined ? null : unquoted(parent);
  }

  /** The definitions of indexes that are missing, or of those that are extra. */
  oddIndexes(which: 'missing' | 'extra'): string[] {
    const [side, other] = which === 'missing' ? [this.expected, this.actual] : [this.actual, this.expected];
    return [...side].flatMap(([key, { kind, definition }]) =>
      kind === 'index' && !other.has(key) ? [definition] : [],
    );
  }

  /** Has this object a difference of its own? */
  differs(kind: ShapeKind, name: string): boolean {
    return this.different.has(keyOf({ kind, name }));
  }
}

const keyOf = ({ kind, name }: { kind: ShapeKind; name: string }): string => `${kind}\t${name}`;

export function changeOf({ expected, actual }: Difference, shapes: Lookup): Change {
  const line = (expected ?? actual) as ShapeLine;
  const stands = !PARTS.has(line.kind);
  const table = stands ? line.name : shapes.ownerOf(line);
  const part = stands ? line.name : line.name.slice(table.length + 1);
  return { expected, actual, line, table, part, quoted: { table: quote(table), part: quote(part) }, shapes };
}

const PARTS: ReadonlySet<ShapeKind> = new Set(['column', 'constraint', 'policy', 'trigger', 'rule']);

export const quote = (name: string): string => ident(name).text();

function unquoted(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name;
}
