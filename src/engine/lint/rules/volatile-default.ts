import { columnOf } from '../constraints.js';
import type { LintRule } from '../rule.js';
import { blockingWork, lockWords } from '../step.js';

export const volatileDefault: LintRule = {
  name: 'volatile-default',
  check: 'migrations',
  level: 'error',
  summary: 'A new column whose default differs from row to row has the whole table written anew.',
  explanation:
    'A constant default is stored once, beside the table. gen_random_uuid(), random(), clock_timestamp() and nextval() have to be called for each row, and all of that happens under ACCESS EXCLUSIVE. now() is the same for all rows and does no harm. A function that is not known here may be volatile: then this is a warning.',
  remedy:
    'Add the column without the default, set the default for rows to come, and fill the old rows in batches.',
  bad: 'alter table invoice add column public_id uuid not null default gen_random_uuid();',
  good: 'alter table invoice add column public_id uuid;\nalter table invoice alter column public_id set default gen_random_uuid();',
  step: (step) => {
    const work = step.action === 'AT_AddColumn' ? blockingWork(step) : undefined;
    if (work === undefined || work.rewrites === false || !work.why.includes('default')) return [];
    const certain = work.rewrites === true;
    const name = columnOf(step);
    return [
      {
        at: step.at,
        message: `Column ${name} ${certain ? 'has' : 'may have'} its default computed for every row; that ${lockWords(work)}.`,
        ...(certain ? {} : { level: 'warning' as const }),
      },
    ];
  },
};
