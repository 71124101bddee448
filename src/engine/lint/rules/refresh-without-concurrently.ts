import type { LintRule } from '../rule.js';
import { blockingWork, lockWords } from '../step.js';

export const refreshWithoutConcurrently: LintRule = {
  name: 'refresh-without-concurrently',
  check: 'migrations',
  level: 'error',
  summary: 'REFRESH MATERIALIZED VIEW shuts the view to its readers until it is filled anew.',
  explanation:
    'It holds ACCESS EXCLUSIVE on the view while its query runs. CONCURRENTLY lets others read meanwhile; it needs a unique index on the view.',
  remedy: 'Write REFRESH MATERIALIZED VIEW CONCURRENTLY; give the view a unique index if it has none.',
  bad: 'refresh materialized view revenue;',
  good: 'refresh materialized view concurrently revenue;',
  step: (step) => {
    const work = step.kind === 'RefreshMatViewStmt' ? blockingWork(step) : undefined;
    if (work === undefined || step.body['concurrent'] === true || step.body['skipData'] === true) return [];
    return [{ at: step.at, message: `It ${lockWords(work)} until the view is filled anew.` }];
  },
};
