import { addedConstraints, isChecked } from '../constraints.js';
import type { LintRule } from '../rule.js';
import { blockingWork, lockWords } from '../step.js';

export const foreignKeyCheckedAtOnce: LintRule = {
  name: 'foreign-key-checked-at-once',
  check: 'migrations',
  level: 'error',
  summary:
    'A foreign key without NOT VALID keeps everybody from writing both tables while all rows are looked up.',
  explanation:
    'Adding it takes SHARE ROW EXCLUSIVE on both tables. With NOT VALID that is short; VALIDATE CONSTRAINT, in a later transaction, looks the old rows up while others read and write. A foreign key of a new table, or in a new column without a default, has no rows to look up and is no finding.',
  remedy: 'Add it NOT VALID, and VALIDATE it in a later migration.',
  bad: 'alter table invoice add constraint invoice_customer_fkey foreign key (tenant_id, customer_id) references customer (tenant_id, id);',
  good: `-- 0002_customer_key.sql
alter table invoice add constraint invoice_customer_fkey foreign key (tenant_id, customer_id) references customer (tenant_id, id) not valid;
-- 0003_validate_customer_key.sql
alter table invoice validate constraint invoice_customer_fkey;`,
  step: (step) => {
    const found = addedConstraints(step).find(({ kind }) => kind === 'CONSTR_FOREIGN');
    const work = blockingWork(step);
    if (found === undefined || work === undefined || !step.old) return [];
    if (step.action === 'AT_AddConstraint' && !isChecked(found)) return [];
    return [
      {
        at: step.at,
        message: `The foreign key ${lockWords(work)} while every row of ${step.table} is looked up.`,
      },
    ];
  },
};
