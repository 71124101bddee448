import { columnOf } from '../constraints.js';
import type { LintRule } from '../rule.js';

export const dropColumn: LintRule = {
  name: 'drop-column',
  check: 'migrations',
  level: 'error',
  summary: 'A column is dropped while releases that still read or write it are running.',
  explanation:
    'During a rollout the old release serves tenants whose tables have changed already; every statement of it that names the column fails. In a file of the contract phase, which waits for its own go, it is no finding. The values are gone for good.',
  remedy:
    'Say `-- tenantctl: phase=contract`: the file then waits for `tenantctl migrate --contract`, when no running release uses the column.',
  bad: 'alter table invoice drop column status;',
  good: '-- tenantctl: phase=contract\nalter table invoice drop column status;',
  step: (step, { script }) => {
    if (step.action !== 'AT_DropColumn' || !step.old || script.directives.phase === 'contract') return [];
    return [
      {
        at: step.at,
        message: `Column ${columnOf(step)} of ${step.table} is dropped outside the contract phase: a release that uses it fails.`,
      },
    ];
  },
};
