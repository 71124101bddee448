import { KNOWN_DIRECTIVES } from '../../ledger/directives.js';
import type { LintRule } from '../rule.js';

export const unknownDirective: LintRule = {
  name: 'unknown-directive',
  check: 'migrations',
  level: 'error',
  down: true,
  final: true,
  summary: 'A comment speaks to the tool in words that it does not know.',
  explanation:
    'A misspelt directive would be a comment, and the file would run in another way than it says. `migrate` does not run it (exit 3).',
  remedy: KNOWN_DIRECTIVES,
  bad: '-- tenantctl: no-transactoin\nalter table invoice add column note text;',
  good: '-- tenantctl: irreversible\nalter table invoice add column note text;',
  file: ({ script }) => script.unknownDirectives.map(({ at, text }) => ({ at, message: `${text}.` })),
};
