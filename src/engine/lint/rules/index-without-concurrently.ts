import type { LintRule } from '../rule.js';
import { blockingWork, lockWords } from '../step.js';

export const indexWithoutConcurrently: LintRule = {
  name: 'index-without-concurrently',
  check: 'migrations',
  level: 'error',
  summary:
    'An index that is built without CONCURRENTLY keeps everybody from writing the table until it is done.',
  explanation:
    'CREATE INDEX holds SHARE on the table while it reads every row. Nobody can insert, update or delete meanwhile, and whoever waits holds up others. An index on a table that the same file makes is no finding: nobody sees it yet.',
  remedy: 'Build it CONCURRENTLY, in a file of its own that begins with `-- tenantctl: no-transaction`.',
  bad: 'create index invoice_customer_idx on invoice (tenant_id, customer_id);',
  good: '-- tenantctl: no-transaction\ncreate index concurrently invoice_customer_idx on invoice (tenant_id, customer_id);',
  step: (step, { script, known }) => {
    const work = step.kind === 'IndexStmt' ? blockingWork(step) : undefined;
    const table = known.get(step.table);
    // ONLY is for the partitioned table itself, which has no rows of its own.
    const only =
      (step.body['relation'] as { inh?: boolean } | undefined)?.inh !== true && table?.partitioned !== false;
    if (work === undefined || only) return [];
    const name = String(step.body['idxname'] ?? 'the index');
    const message = `Building ${name} ${lockWords(work)} until every row has been read.`;
    if (table?.partitioned === true) return [{ at: step.at, message, hint: PARTITIONED }];
    const concurrently = textOf(script, step.statement).replace(
      /^(create\s+(?:unique\s+)?index)\b/i,
      '$1 concurrently',
    );
    return [{ at: step.at, message, sql: [`${concurrently};`] }];
  },
};

const PARTITIONED =
  'Create it ON ONLY the partitioned table, build one CONCURRENTLY on each partition in a file with `-- tenantctl: no-transaction`, then ALTER INDEX … ATTACH PARTITION for each.';

function textOf(
  script: { sql: string; statements: readonly { start: number; end: number }[] },
  index: number,
): string {
  const { start, end } = script.statements[index] as { start: number; end: number };
  return script.sql.slice(start, end);
}
