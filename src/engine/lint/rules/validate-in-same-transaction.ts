import { addedConstraints } from '../constraints.js';
import type { LintRule } from '../rule.js';
import type { Step } from '../step.js';

export const validateInSameTransaction: LintRule = {
  name: 'validate-in-same-transaction',
  check: 'migrations',
  level: 'error',
  summary:
    'VALIDATE CONSTRAINT in the transaction that added the constraint reads the table under the lock of the adding.',
  explanation:
    'A lock is held to the end of its transaction. NOT VALID followed by VALIDATE in one file is as bad as no NOT VALID at all.',
  remedy: 'Move VALIDATE CONSTRAINT into the next migration file.',
  bad: `alter table invoice add constraint invoice_total_check check (total >= 0) not valid;
alter table invoice validate constraint invoice_total_check;`,
  good: `-- 0002_total_check.sql
alter table invoice add constraint invoice_total_check check (total >= 0) not valid;
-- 0003_validate_total_check.sql
alter table invoice validate constraint invoice_total_check;`,
  step: (step, { script }) => {
    if (step.action !== 'AT_ValidateConstraint' || !step.old || script.directives.noTransaction) return [];
    const adding = script.steps.slice(0, script.steps.indexOf(step)).find((earlier) => adds(earlier, step));
    if (adding === undefined) return [];
    const { lock } = adding.effects[0] ?? { lock: 'its lock' };
    const message = `Every row of ${step.table} is read while ${lock}, taken to add ${String(step.command['name'])}, is still held.`;
    return [{ at: step.at, message }];
  },
};

const adds = (earlier: Step, { table, command }: Step): boolean =>
  earlier.table === table &&
  addedConstraints(earlier).some(({ constraint }) => constraint['conname'] === command['name']);
