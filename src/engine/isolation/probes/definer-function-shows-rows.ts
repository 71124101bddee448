import type { Rule } from '../../../core/rule.js';

export const definerFunctionShowsRows: Rule = {
  name: 'definer-function-shows-rows',
  check: 'isolation',
  level: 'error',
  summary: 'A SECURITY DEFINER function answers one tenant with what another has.',
  explanation:
    'It runs with the rights of its owner. The same tenant called it twice, and the answer changed when only another tenant had got rows. Functions without arguments that are STABLE or IMMUTABLE are called; all others are listed as not probed.',
  remedy:
    'Make it SECURITY INVOKER, or let it name the tenant in its conditions, and revoke EXECUTE from PUBLIC.',
  bad: `alter table invoice no force row level security;
create function count_invoices() returns bigint language sql stable security definer as 'select count(*) from app.invoice';`,
  good: `create function count_invoices() returns bigint language sql stable as 'select count(*) from app.invoice';`,
};
