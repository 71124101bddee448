import { addedConstraints, isChecked } from '../constraints.js';
import type { LintRule } from '../rule.js';
import { blockingWork, lockWords } from '../step.js';

export const checkWithoutNotValid: LintRule = {
  name: 'check-without-not-valid',
  check: 'migrations',
  level: 'error',
  summary: 'A CHECK without NOT VALID reads the whole table while nobody can read or write it.',
  explanation:
    'It holds ACCESS EXCLUSIVE while every row is held to the condition. With NOT VALID it is there at once for new rows; VALIDATE CONSTRAINT, in a later transaction, reads the old ones while others work. It is the same for NOT NULL as a constraint (PostgreSQL 18), and for a CHECK behind a new column.',
  remedy: 'Add it NOT VALID, and VALIDATE it in a later migration.',
  bad: 'alter table invoice add constraint invoice_total_check check (total >= 0);',
  good: `-- 0002_total_check.sql
alter table invoice add constraint invoice_total_check check (total >= 0) not valid;
-- 0003_validate_total_check.sql
alter table invoice validate constraint invoice_total_check;`,
  step: (step) => {
    const found = addedConstraints(step).find(
      ({ kind, column }) => kind === 'CONSTR_CHECK' || (kind === 'CONSTR_NOTNULL' && column === null),
    );
    const work = blockingWork(step);
    if (found === undefined || work === undefined || !isChecked(found)) return [];
    const name = String(found.constraint['conname'] ?? 'the constraint');
    return [{ at: step.at, message: `${name} ${lockWords(work)} while every row is held to it.` }];
  },
};
