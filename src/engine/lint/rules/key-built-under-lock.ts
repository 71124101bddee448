import { addedConstraints } from '../constraints.js';
import type { LintRule } from '../rule.js';
import { blockingWork, lockWords } from '../step.js';

const BUILT = new Map([
  ['CONSTR_PRIMARY', 'primary key'],
  ['CONSTR_UNIQUE', 'unique constraint'],
  ['CONSTR_EXCLUSION', 'exclusion constraint'],
]);

export const keyBuiltUnderLock: LintRule = {
  name: 'key-built-under-lock',
  check: 'migrations',
  level: 'error',
  summary: 'A primary key or unique constraint builds its index while nobody can read or write the table.',
  explanation:
    'ALTER TABLE … ADD PRIMARY KEY and ADD UNIQUE hold ACCESS EXCLUSIVE until the index is complete. An index that was built CONCURRENTLY becomes the constraint in an instant. An exclusion constraint knows no such way: it needs a window, and an allowance that says so.',
  remedy: 'Build a unique index CONCURRENTLY in a file of its own, then ADD CONSTRAINT … USING INDEX.',
  bad: 'alter table invoice add constraint invoice_number_key unique (tenant_id, number);',
  good: `-- 0002_number_index.sql
-- tenantctl: no-transaction
create unique index concurrently invoice_number_key on invoice (tenant_id, number);
-- 0003_number_key.sql
alter table invoice add constraint invoice_number_key unique using index invoice_number_key;`,
  step: (step) => {
    const work = blockingWork(step);
    const found = addedConstraints(step).find(
      ({ kind, constraint }) => BUILT.has(kind) && constraint['indexname'] === undefined,
    );
    if (found === undefined || work === undefined) return [];
    return [
      { at: step.at, message: `The ${BUILT.get(found.kind)} ${lockWords(work)} until its index is built.` },
    ];
  },
};
