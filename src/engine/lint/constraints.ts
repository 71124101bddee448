import { type Tree, nodesOf } from '../ledger/locks/tree.js';
import type { Step } from './step.js';

/** A constraint that a step adds, with the column that it stands behind; null where it is the table's. */
export interface AddedConstraint {
  kind: string;
  constraint: Tree;
  column: string | null;
}

/** The constraints that a step adds to a table that is there. */
export function addedConstraints({ action, command }: Step): AddedConstraint[] {
  const def = (command['def'] ?? {}) as { Constraint?: Tree; ColumnDef?: Tree };
  if (action === 'AT_AddConstraint' && def.Constraint !== undefined) return [added(def.Constraint, null)];
  if (action !== 'AT_AddColumn') return [];
  const column = String(def.ColumnDef?.['colname']);
  return nodesOf(def.ColumnDef?.['constraints'], 'Constraint').map((constraint) => added(constraint, column));
}

const added = (constraint: Tree, column: string | null): AddedConstraint => ({
  kind: String(constraint['contype']),
  constraint,
  column,
});

/** The column of ADD COLUMN, ALTER COLUMN and DROP COLUMN. */
export function columnOf({ action, command }: Step): string {
  const def = command['def'] as { ColumnDef?: Tree } | undefined;
  return String(action === 'AT_AddColumn' ? def?.ColumnDef?.['colname'] : command['name']);
}

/** Are the rows that are there held to it? The parser leaves out what is false. */
export const isChecked = ({ constraint }: AddedConstraint): boolean =>
  constraint['skip_validation'] !== true && constraint['initially_valid'] === true;
