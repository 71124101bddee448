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
  step: (step, { script }) => {
    const work = step.kind === 'IndexStmt' ? blockingWork(step) : undefined;
    if (work === undefined) return [];
    const text = textOf(script, step.statement);
    const concurrently = text.replace(/^(create\s+(?:unique\s+)?index)\b/i, '$1 concurrently');
    const name = String(step.body['idxname'] ?? 'the index');
    const message = `Building ${name} ${lockWords(work)} until every row has been read.`;
    return [{ at: step.at, message, sql: [`${concurrently};`] }];
  },
};

function textOf(
  script: { sql: string; statements: readonly { start: number; end: number }[] },
  index: number,
): string {
  const { start, end } = script.statements[index] as { start: number; end: number };
  return script.sql.slice(start, end);
}
