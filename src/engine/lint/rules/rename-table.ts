import type { LintRule } from '../rule.js';

const RENAMED = new Set(['OBJECT_TABLE', 'OBJECT_VIEW', 'OBJECT_MATVIEW']);

export const renameTable: LintRule = {
  name: 'rename-table',
  check: 'migrations',
  level: 'error',
  summary: 'A table or view gets another name, and releases that know it by the old one fail.',
  explanation:
    'Until the rollout is over both releases run. A view of the old name beside the renamed table lets both work; it is made in the same file. It must be security_invoker, or it reads with the rights of its owner.',
  remedy:
    'Make a view of the new name over the table, let releases move to it, and rename in the contract phase.',
  bad: 'alter table invoice rename to bill;',
  good: 'create view bill with (security_invoker = true) as select * from invoice;',
  step: ({ kind, body, table, old, at }, { script }) => {
    if (kind !== 'RenameStmt' || !RENAMED.has(String(body['renameType'])) || !old) return [];
    if (script.directives.phase === 'contract' || viewOfOldName(script.steps, table)) return [];
    return [
      {
        at,
        message: `${table} becomes ${String(body['newname'])}: a release that names it as before fails.`,
      },
    ];
  },
};

/** Does the same file put a view where the table was? */
function viewOfOldName(
  steps: readonly { kind: string; body: Readonly<Record<string, unknown>> }[],
  table: string | null,
): boolean {
  return steps.some(
    ({ kind, body }) =>
      kind === 'ViewStmt' && (body['view'] as { relname?: string } | undefined)?.relname === table,
  );
}
