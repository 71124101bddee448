import { blockedBy } from '../../core/lock-mode.js';
import { alterActions } from '../ledger/locks/alter-table.js';
import type { Effect } from '../ledger/locks/effect.js';
import { type Hidden, type LockingScript, hiddenBefore } from '../ledger/locks/effects.js';
import { STATEMENTS } from '../ledger/locks/statements.js';
import { type Tree, nameOf } from '../ledger/locks/tree.js';

/** A statement, or one action of an ALTER TABLE. */
export interface Step {
  /** Number of the statement in the file, from 0. */
  statement: number;
  /** Where the statement begins. */
  at: number;
  kind: string;
  body: Tree;
  /** The action's kind, such as `AT_AddColumn`; empty for other statements. */
  action: string;
  /** The action; the statement itself where there is none. */
  command: Tree;
  /** The table that the statement names first, if it does. */
  table: string | null;
  /** Was that table there, for others to see, before the file? */
  old: boolean;
  /** What it does to tables that others see. */
  effects: readonly Effect[];
}

/** A script as its steps, in their order. */
export function stepsOf(script: LockingScript): Step[] {
  const hidden = hiddenBefore(script);
  return script.statements.flatMap(({ kind, body, start }, statement): Step[] => {
    const table = nameOf(body['relation']) ?? nameOf(body['table']);
    const unseen = hidden[statement] as Hidden;
    const visible = ({ relation }: Effect): boolean => relation === null || !unseen.has(relation);
    const common = { statement, at: start, kind, body, table, old: table !== null && !unseen.has(table) };
    if (kind !== 'AlterTableStmt') {
      const effects = (STATEMENTS[kind]?.(body) ?? []).filter(visible);
      return [{ ...common, action: '', command: body, effects }];
    }
    return alterActions(body).map(({ command, effects }) => ({
      ...common,
      action: String(command['subtype']),
      command,
      effects: effects.filter(visible),
    }));
  });
}

/** Does the step keep somebody waiting? */
export const blocks = ({ effects }: Step): boolean =>
  effects.some(({ lock }) => blockedBy(lock) !== 'nothing');

/** An effect that keeps others waiting for as long as a table is read or written. */
export function blockingWork({ effects }: Step): Effect | undefined {
  return effects.find(
    ({ lock, scans, rewrites }) => blockedBy(lock) !== 'nothing' && (scans || rewrites !== false),
  );
}

/** `takes SHARE on invoice, which blocks writers` */
export function lockWords({ lock, relation }: Effect): string {
  return `takes ${lock} on ${relation ?? 'tables that it does not name'}, which blocks ${blockedBy(lock)}`;
}
