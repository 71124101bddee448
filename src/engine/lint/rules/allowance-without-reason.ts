import type { AllowanceRule } from '../allowance-rule.js';

export const allowanceWithoutReason: AllowanceRule = {
  name: 'allowance-without-reason',
  check: 'migrations',
  level: 'warning',
  summary: 'An allowance gives no reason, and so allows nothing.',
  explanation: 'Whoever reads the file next year must be able to tell whether the reason still holds.',
  remedy: 'Write `-- tenantctl: allow <rule> because <reason>`.',
  bad: '-- tenantctl: allow drop-column\nalter table invoice drop column status;',
  good: '-- tenantctl: allow drop-column because no release has ever read it\nalter table invoice drop column status;',
  judge: ({ reason, rules }) =>
    reason === '' ? [`The allowance of ${rules.join(', ') || 'nothing'} says no "because …".`] : [],
};
