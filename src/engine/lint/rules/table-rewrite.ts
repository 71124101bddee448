import type { Effect } from '../../ledger/locks/effect.js';
import type { Tree } from '../../ledger/locks/tree.js';
import type { LintRule } from '../rule.js';
import { type Step, blockingWork, lockWords } from '../step.js';
import { typeOf } from '../type-names.js';

/** Told by rules of their own, which know more. */
const TOLD_ELSEWHERE = new Set(['AT_AlterColumnType', 'IndexStmt', 'ReindexStmt', 'RefreshMatViewStmt']);

export const tableRewrite: LintRule = {
  name: 'table-rewrite',
  check: 'migrations',
  level: 'error',
  summary: 'The statement writes the whole table anew while nobody can read or write it.',
  explanation:
    'A stored generated column, an identity or serial column, a column of a domain with a constraint, SET LOGGED, SET ACCESS METHOD, SET TABLESPACE, CLUSTER and VACUUM FULL copy every row under ACCESS EXCLUSIVE. The time grows with the table, and each tenant waits for its own.',
  remedy:
    'Add a plain column, fill it in batches (`-- tenantctl: batched`), and let a trigger keep it in step. For VACUUM FULL and CLUSTER take a tool that copies beside the table, or a maintenance window.',
  bad: 'alter table invoice add column year integer generated always as (extract(year from issued_on)::integer) stored;',
  good: 'alter table invoice add column year integer;',
  step: (step, { known }) => {
    const work = blockingWork(step);
    if (work === undefined || work.rewrites === false || isToldElsewhere(step, work)) return [];
    const strict = step.action === 'AT_AddColumn' && known.strictDomains.has(typeAdded(step));
    // A type that is not built in is rewritten for if it is a domain with a constraint, and that would be known.
    if (step.action === 'AT_AddColumn' && work.rewrites === 'maybe' && !strict) return [];
    const certain = work.rewrites === true || strict;
    const message = `It ${lockWords(work)} while all rows ${certain ? 'are' : 'may be'} written anew: ${work.why}.`;
    return [{ at: step.at, message, ...(certain ? {} : { level: 'warning' as const }) }];
  },
};

const isToldElsewhere = ({ kind, action }: Step, { why }: Effect): boolean =>
  TOLD_ELSEWHERE.has(kind) ||
  TOLD_ELSEWHERE.has(action) ||
  (action === 'AT_AddColumn' && why.includes('default'));

const typeAdded = ({ command }: Step): string =>
  typeOf((command['def'] as { ColumnDef: Tree }).ColumnDef['typeName']).name;
