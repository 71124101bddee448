import type { LintRule } from '../rule.js';

export const schemaInString: LintRule = {
  name: 'schema-in-string',
  check: 'migrations',
  level: 'warning',
  down: true,
  summary:
    'A string, or the body of a function, names the schema `public`: it is looked up there when it runs.',
  explanation:
    'The text is not run now, so that it is neither refused nor rewritten. In the schema and pool tiers the name means another table than the tenant’s, or none.',
  remedy: 'Leave the schema out; a function finds the tenant’s tables with SET search_path FROM CURRENT.',
  bad: 'create function invoices() returns bigint language plpgsql as $$ begin return (select count(*) from public.invoice); end $$;',
  good: 'create function invoices() returns bigint language plpgsql set search_path from current as $$ begin return (select count(*) from invoice); end $$;',
  file: ({ script }) =>
    (script.adapted?.doubts ?? []).map(({ offset, text }) => ({ at: offset, message: `It ${text}.` })),
};
