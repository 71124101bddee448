import type { Rule } from '../../../core/rule.js';

export const truncateAllowed: Rule = {
  name: 'truncate-allowed',
  check: 'isolation',
  level: 'error',
  summary: 'The application may TRUNCATE a table in which all tenants have rows.',
  explanation:
    'TRUNCATE asks no policy: in the context of one tenant it empties the table for all. It is judged by the privilege and never run.',
  remedy: 'Revoke TRUNCATE from the role and from PUBLIC.',
  bad: `grant truncate on invoice to app_user;`,
  good: `revoke truncate on invoice from app_user;`,
};
