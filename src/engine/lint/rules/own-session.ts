import type { LintRule } from '../rule.js';

export const ownSession: LintRule = {
  name: 'own-session',
  check: 'migrations',
  level: 'error',
  down: true,
  final: true,
  summary:
    'The file changes the search path, the role or the whole session: it would go on in another schema or with other rights.',
  explanation:
    'One file runs in thousands of schemas; the tool sets path and role for each. `migrate` does not run a file that changes them (exit 3), and it cannot be allowed. COPY … FROM STDIN has no input there.',
  remedy:
    'Take the statement out, and write names without a schema; instead of COPY … FROM STDIN write INSERT.',
  bad: 'set search_path = billing;\nalter table invoice add column note text;',
  good: 'alter table invoice add column note text;',
  file: ({ script }) =>
    script.statements
      .filter(({ control }) => control !== null && /^(SET |RESET |DISCARD|COPY )/.test(control))
      .map(({ start, control }) => ({
        at: start,
        message: `${control} takes over what the tool sets for each home.`,
      })),
};
