import type { LintRule, Sighting } from '../rule.js';
import { type Step, blockingWork, lockWords } from '../step.js';

/** Told by rules of their own, which know more. */
const TOLD_ELSEWHERE = new Set(['AT_AlterColumnType', 'IndexStmt', 'ReindexStmt', 'RefreshMatViewStmt']);

export const tableRewrite: LintRule = {
  name: 'table-rewrite',
  check: 'migrations',
  level: 'error',
  summary: 'The statement writes the whole table anew while nobody can read or write it.',
  explanation:
    'A stored generated column, an identity or serial column, SET LOGGED, SET ACCESS METHOD, SET TABLESPACE, CLUSTER and VACUUM FULL copy every row under ACCESS EXCLUSIVE. The time grows with the table, and each tenant waits for its own.',
  remedy:
    'Add a plain column, fill it in batches (`-- tenantctl: batched`), and let a trigger keep it in step. For VACUUM FULL and CLUSTER take a tool that copies beside the table, or a maintenance window.',
  bad: 'alter table invoice add column year integer generated always as (extract(year from issued_on)::integer) stored;',
  good: 'alter table invoice add column year integer;',
  step: (step) => {
    const work = blockingWork(step);
    if (work === undefined || work.rewrites === false || isToldElsewhere(step)) return [];
    const certain = work.rewrites === true;
    const message = `It ${lockWords(work)} while ${certain ? 'all rows are' : 'all rows may be'} written anew: ${work.why}.`;
    return [{ at: step.at, message, ...(certain ? {} : { level: 'warning' as const }) } satisfies Sighting];
  },
};

function isToldElsewhere(step: Step): boolean {
  const volatile = step.action === 'AT_AddColumn' && blockingWork(step)?.why.includes('default') === true;
  return volatile || TOLD_ELSEWHERE.has(step.kind) || TOLD_ELSEWHERE.has(step.action);
}
