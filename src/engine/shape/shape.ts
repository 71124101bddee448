import { groupBy } from '../../core/group-by.js';

/** What a line of a shape speaks of; the word is the one that people read. */
export type ShapeKind =
  | 'table'
  | 'view'
  | 'materialized view'
  | 'column'
  | 'constraint'
  | 'index'
  | 'policy'
  | 'trigger'
  | 'rule'
  | 'function'
  | 'procedure'
  | 'aggregate'
  | 'sequence'
  | 'enum'
  | 'domain'
  | 'range type'
  | 'composite type'
  | 'statistics object';

/** One object of a schema, with the schema's own name left out of everything that is said about it. */
export interface ShapeLine {
  kind: ShapeKind;
  /** `invoice`, `invoice.due_on`, `next_number(text)`: unique within its kind. */
  name: string;
  /** All there is to say about it, as PostgreSQL prints it. */
  definition: string;
}

/** What a schema consists of, in order of kind and name. Equal shapes have equal fingerprints within one major version. */
export interface Shape {
  fingerprint: string;
  lines: ShapeLine[];
}

/** The members of a fleet that look alike. */
export interface ShapeGroup<Member> {
  fingerprint: string;
  members: Member[];
}

/** Groups by fingerprint, largest first; groups of one size in order of fingerprint, so that the answer is always the same. */
export function groupByShape<Member>(fingerprints: ReadonlyMap<Member, string>): ShapeGroup<Member>[] {
  const groups = groupBy(fingerprints, ([, fingerprint]) => fingerprint);
  return [...groups]
    .map(([fingerprint, entries]) => ({ fingerprint, members: entries.map(([member]) => member) }))
    .sort((a, b) => b.members.length - a.members.length || (a.fingerprint < b.fingerprint ? -1 : 1));
}
