import { schemaName } from '../schema-name.js';
import type { LintRule } from '../rule.js';

export const foreignSchema: LintRule = {
  name: 'foreign-schema',
  check: 'migrations',
  level: 'error',
  down: true,
  final: true,
  summary: 'A schema is named: every home would do it to the same one, which belongs to none of them.',
  explanation:
    'ORMs and dumps write `public.` in front of every name. With `migrations.onForeignSchema: rewrite` that one qualifier is left out while files are read; other schemas mean something of their own and are never guessed. `migrate` does not run such a file (exit 3), and it cannot be allowed.',
  remedy: 'Leave the schema out of the name.',
  bad: 'alter table public.invoice add column note text;',
  good: 'alter table invoice add column note text;',
  file: ({ script, settings }) =>
    (script.adapted?.faults ?? []).map(({ offset, text }) => {
      const rewritable =
        settings.adaptation.onForeignSchema === 'refuse' && !script.beyondRewriting.has(offset);
      const instead = rewritable ? schemaName(script, offset) : null;
      return {
        at: offset,
        message: `${text}; every home would do it there.`,
        ...(instead === null
          ? {}
          : { hint: `Write ${instead}, or set \`migrations.onForeignSchema: rewrite\`, which reads it so.` }),
      };
    }),
};
