import type { AllowanceRule } from '../allowance-rule.js';

export const allowanceUnknownRule: AllowanceRule = {
  name: 'allowance-unknown-rule',
  check: 'migrations',
  level: 'warning',
  summary: 'An allowance names a rule that is not there, or one that cannot be allowed.',
  explanation: 'It allows nothing. Rules about what `migrate` cannot run at all have no exception.',
  remedy: 'Write the name as the finding gives it.',
  bad: '-- tenantctl: allow rewrite because nobody works at night\nalter table invoice add column note text;',
  good: 'alter table invoice add column note text;',
  judge: ({ rules }, { known, final }) => [
    ...rules.filter((rule) => !known.has(rule)).map((rule) => `There is no rule ${rule}.`),
    ...rules
      .filter((rule) => final.has(rule))
      .map((rule) => `${rule} cannot be allowed: such a file is not run.`),
    ...(rules.length === 0 ? ['The allowance names no rule.'] : []),
  ],
};
