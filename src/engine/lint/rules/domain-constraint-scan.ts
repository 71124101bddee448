import type { LintRule } from '../rule.js';
import { blockingWork } from '../step.js';

export const domainConstraintScan: LintRule = {
  name: 'domain-constraint-scan',
  check: 'migrations',
  level: 'error',
  summary: 'A new constraint on a domain reads every table that uses it while nobody can write there.',
  explanation:
    'ALTER DOMAIN … ADD CONSTRAINT and SET NOT NULL hold SHARE on each table with a column of the domain, all in one transaction. ADD CONSTRAINT … NOT VALID checks new values only; VALIDATE reads the tables under the same lock, but at a time of your choice.',
  remedy: 'Add the constraint NOT VALID; better: a CHECK on the table instead of the domain.',
  bad: 'alter domain percentage add constraint percentage_range check (value between 0 and 100);',
  good: 'alter domain percentage add constraint percentage_range check (value between 0 and 100) not valid;',
  step: (step) => {
    const work = step.kind === 'AlterDomainStmt' ? blockingWork(step) : undefined;
    if (work === undefined) return [];
    return [
      {
        at: step.at,
        message: `It takes ${work.lock} on every table that uses the domain, which blocks writers until all rows have been read.`,
      },
    ];
  },
};
