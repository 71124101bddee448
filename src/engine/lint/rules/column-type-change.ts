import type { Tree } from '../../ledger/locks/tree.js';
import { columnOf } from '../constraints.js';
import type { LintRule } from '../rule.js';
import { lockWords } from '../step.js';
import { readsTheSame, typeOf } from '../type-names.js';

export const columnTypeChange: LintRule = {
  name: 'column-type-change',
  check: 'migrations',
  level: 'error',
  summary:
    'Another type for a column has every row and every index of it written anew, with all others shut out.',
  explanation:
    'Only where the old values read as the new type as they are (varchar to a longer varchar or to text, numeric to more digits of the same scale) nothing is rewritten; that is told from the files that made the column, and is no finding. A release that runs meanwhile may not know the new type either.',
  remedy:
    'Add a column of the new type, keep both in step with a trigger, fill it in batches, and drop the old one in the contract phase.',
  bad: 'alter table invoice alter column customer_id type numeric;',
  good: 'alter table customer alter column email type varchar(200);',
  step: (step, { known }) => {
    const [effect] = step.effects;
    if (step.action !== 'AT_AlterColumnType' || effect === undefined) return [];
    const definition = (step.command['def'] as { ColumnDef: Tree }).ColumnDef;
    const before = known.get(step.table)?.columns.get(columnOf(step))?.type;
    const computed = definition['raw_default'] !== undefined || definition['collClause'] !== undefined;
    if (before !== undefined && !computed && readsTheSame(before, typeOf(definition['typeName']))) return [];
    const doubt = before === undefined ? ', unless the old type reads as the new one' : '';
    const message = `Another type for column ${columnOf(step)} ${lockWords(effect)} while every row is converted${doubt}.`;
    return [{ at: step.at, message }];
  },
};
