import { blockedBy } from '../../../core/lock-mode.js';
import type { LintRule } from '../rule.js';

export const lockTable: LintRule = {
  name: 'lock-table',
  check: 'migrations',
  level: 'warning',
  summary: 'LOCK TABLE shuts others out until the migration ends.',
  explanation:
    'Statements take the locks that they need by themselves. One that is taken by hand is held to the end of the file, whatever stands in it. It can be right, to keep an order of locking; then say so in an allowance.',
  remedy: 'Leave LOCK TABLE out, or ask for a mode that blocks nobody.',
  bad: 'lock table invoice in share row exclusive mode;',
  good: 'lock table invoice in share update exclusive mode;',
  step: ({ kind, effects, at }) => {
    if (kind !== 'LockStmt') return [];
    return effects
      .filter(({ lock }) => blockedBy(lock) !== 'nothing')
      .map(({ lock, relation }) => ({
        at,
        message: `It takes ${lock} on ${relation}, which blocks ${blockedBy(lock)} to the end of the file.`,
      }));
  },
};
