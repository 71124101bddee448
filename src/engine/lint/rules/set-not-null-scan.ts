import { columnOf } from '../constraints.js';
import { nullRuledOut } from '../known-tables.js';
import type { LintRule, Scene } from '../rule.js';
import type { Step } from '../step.js';

export const setNotNullScan: LintRule = {
  name: 'set-not-null-scan',
  check: 'migrations',
  level: 'error',
  summary: 'SET NOT NULL reads the whole table while nobody can read or write it.',
  explanation:
    'It holds ACCESS EXCLUSIVE while it looks for NULL in every row. A valid CHECK (column IS NOT NULL) spares it the look; that one can be added NOT VALID and validated while others read and write. A primary key over a column that may be NULL does the same.',
  remedy:
    'Add CHECK (column IS NOT NULL) NOT VALID, VALIDATE it in a later migration, then SET NOT NULL and drop the CHECK.',
  bad: 'alter table invoice alter column number set not null;',
  good: `-- 0002_number_present.sql
alter table invoice add constraint invoice_number_present check (number is not null) not valid;
-- 0003_number_required.sql
alter table invoice validate constraint invoice_number_present;
alter table invoice alter column number set not null;
alter table invoice drop constraint invoice_number_present;`,
  step: (step, { known }) => {
    if (!step.old) return [];
    const table = known.get(step.table);
    return requiredBy(step, known).flatMap((column) => {
      if (nullRuledOut(table, column)) return [];
      const name = `${step.table}_${column}_present`;
      return {
        at: step.at,
        message: `NOT NULL for column ${column} takes ACCESS EXCLUSIVE on ${step.table}, which blocks readers and writers until every row has been read.`,
        sql: [
          `alter table ${step.table} add constraint ${name} check (${column} is not null) not valid;`,
          `alter table ${step.table} validate constraint ${name};`,
          `alter table ${step.table} alter column ${column} set not null;`,
          `alter table ${step.table} drop constraint ${name};`,
        ],
      };
    });
  },
};

/** Columns that must hold a value from now on. */
function requiredBy(step: Step, known: Scene['known']): readonly string[] {
  if (step.action === 'AT_SetNotNull') return [columnOf(step)];
  const { Constraint: constraint } = (step.command['def'] ?? {}) as { Constraint?: Record<string, unknown> };
  if (step.action !== 'AT_AddConstraint' || constraint?.['contype'] !== 'CONSTR_PRIMARY') return [];
  return known.index(String(constraint['indexname']))?.columns ?? [];
}
