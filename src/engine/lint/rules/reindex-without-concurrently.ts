import type { LintRule } from '../rule.js';
import { blockingWork, lockWords } from '../step.js';

export const reindexWithoutConcurrently: LintRule = {
  name: 'reindex-without-concurrently',
  check: 'migrations',
  level: 'error',
  summary:
    'REINDEX without CONCURRENTLY keeps everybody from writing the table, and new queries from being planned.',
  explanation:
    'It holds SHARE on the table and ACCESS EXCLUSIVE on the index while all rows are read. The planner opens every index of a table, so that even a SELECT which would not use the index waits.',
  remedy: 'Write REINDEX … CONCURRENTLY, in a file that begins with `-- tenantctl: no-transaction`.',
  bad: 'reindex table invoice;',
  good: '-- tenantctl: no-transaction\nreindex table concurrently invoice;',
  step: (step) => {
    const work = step.kind === 'ReindexStmt' ? blockingWork(step) : undefined;
    if (work === undefined) return [];
    return [{ at: step.at, message: `REINDEX ${lockWords(work)} until the indexes are built anew.` }];
  },
};
