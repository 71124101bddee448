import { blockedBy } from '../../../core/lock-mode.js';
import { positionAt } from '../../../core/source-position.js';
import type { Migration } from '../migration.js';
import type { StatementEffect } from './effect.js';
import { STATEMENTS } from './statements.js';
import { type Tree, nameOf } from './tree.js';

/** What must be known of a file to tell its locks. */
export type LockingScript = Pick<Migration, 'sql' | 'statements'> & {
  directives: Pick<Migration['directives'], 'noTransaction'>;
};

/**
 * The locks that a migration takes on tables which are there before it, and what it does under them, told
 * from its text. What functions and DO blocks do is not looked into. A table that the file itself makes is left
 * out where nobody can see it before the commit.
 */
export function effectsOf(migration: LockingScript): readonly StatementEffect[] {
  const told = known.get(migration) ?? tell(migration);
  known.set(migration, told);
  return told;
}

/** Thousands of units have the same file. */
const known = new WeakMap<LockingScript, readonly StatementEffect[]>();

function tell(migration: LockingScript): StatementEffect[] {
  const hidden = hiddenBefore(migration);
  return migration.statements.flatMap((statement, index) => {
    const effects = (STATEMENTS[statement.kind]?.(statement.body) ?? []).filter(
      ({ relation }) => relation === null || hidden[index]?.has(relation) !== true,
    );
    if (effects.length === 0) return [];
    const { line } = positionAt(migration.sql, statement.start);
    return effects.map((found) => ({ statement: index, line, blocks: blockedBy(found.lock), ...found }));
  });
}

/** Names that nobody else sees at some place of a file. */
export interface Hidden {
  has(name: string): boolean;
}

/** Before each statement, what the file has made until then and nobody else can see. */
export function hiddenBefore({ statements, directives }: LockingScript): Hidden[] {
  // A file may make thousands of things: each place looks into the same map, and not into one of its own.
  const since = new Map<string, number>();
  return statements.map(({ kind, body }, place) => {
    const name = directives.noTransaction ? null : madeBy(kind, body, since);
    if (name !== null && !since.has(name)) since.set(name, place);
    return { has: (other) => (since.get(other) ?? Infinity) < place };
  });
}

function madeBy(kind: string, body: Tree, hidden: Hidden): string | null {
  const hides = (relation: unknown): boolean => hidden.has(nameOf(relation) ?? '');
  switch (kind) {
    case 'CreateStmt':
      return body['if_not_exists'] === true ? null : nameOf(body['relation']);
    case 'CreateTableAsStmt':
      return body['if_not_exists'] === true ? null : nameOf((body['into'] as Tree | undefined)?.['rel']);
    case 'CreateSeqStmt':
      return body['if_not_exists'] === true ? null : nameOf(body['sequence']);
    case 'ViewStmt':
      return body['replace'] === true ? null : nameOf(body['view']);
    case 'IndexStmt':
      return hides(body['relation']) ? String(body['idxname'] ?? '') : null;
    case 'RenameStmt':
      return hides(body['relation']) ? String(body['newname'] ?? '') : null;
    default:
      return null;
  }
}
