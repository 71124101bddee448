import type { AllowanceRule } from '../allowance-rule.js';

export const allowanceUnused: AllowanceRule = {
  name: 'allowance-unused',
  check: 'migrations',
  level: 'warning',
  summary: 'An allowance stands where nothing has to be allowed.',
  explanation: 'It would silently allow what is written there later.',
  remedy:
    'Take it out, or move it: before the first statement it is for the whole file, elsewhere for the next statement.',
  bad: '-- tenantctl: allow table-rewrite because nobody works at night\nalter table invoice add column note text;',
  good: 'alter table invoice add column note text;',
  judge: (allowance, { known, final, isUsed }) =>
    allowance.reason === ''
      ? []
      : allowance.rules
          .filter((rule) => known.has(rule) && !final.has(rule) && !isUsed(allowance, rule))
          .map((rule) => `Nothing here is against ${rule}.`),
};
