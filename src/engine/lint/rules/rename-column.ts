import type { LintRule } from '../rule.js';

export const renameColumn: LintRule = {
  name: 'rename-column',
  check: 'migrations',
  level: 'error',
  summary: 'A column gets another name, and releases that know it by the old one fail.',
  explanation:
    'No moment exists at which both releases work: either the old name is there or the new one. Add the new column, keep both in step with a trigger, and drop the old one in the contract phase.',
  remedy:
    'Add a column of the new name, keep both in step, and drop the old one with `-- tenantctl: phase=contract`.',
  bad: 'alter table invoice rename column status to state;',
  good: '-- tenantctl: phase=expand\nalter table invoice add column state text;',
  step: ({ kind, body, table, old, at }, { script }) => {
    if (kind !== 'RenameStmt' || body['renameType'] !== 'OBJECT_COLUMN' || !old) return [];
    if (script.directives.phase === 'contract') return [];
    return [
      {
        at,
        message: `Column ${String(body['subname'])} of ${table} becomes ${String(body['newname'])}: a release that names it as before fails.`,
      },
    ];
  },
};
