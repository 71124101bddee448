import type { LintRule } from '../rule.js';

export const filesNotInOrder: LintRule = {
  name: 'files-not-in-order',
  check: 'migrations',
  level: 'error',
  final: true,
  summary: 'The directory breaks a rule of its format: a gap, a number twice, a file without a number.',
  explanation:
    'The order of migrations must be beyond doubt, so no file is looked at until it is. `migrate` does not run (exit 3).',
  remedy: 'Name the files as the format asks; then other findings show up.',
  bad: '-- 0003_gap.sql\nselect 1;',
  good: '-- 0002_next.sql\nselect 1;',
};
