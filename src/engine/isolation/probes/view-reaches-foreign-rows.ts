import type { Rule } from '../../../core/rule.js';

export const viewReachesForeignRows: Rule = {
  name: 'view-reaches-foreign-rows',
  check: 'isolation',
  level: 'error',
  summary: 'A view shows the application rows of other tenants, or lets it change them.',
  explanation:
    'A view reads its tables with the rights of its owner unless it has security_invoker. Where policies do not hold that owner, they hold nobody who asks the view.',
  remedy: 'Set security_invoker on the view, or revoke it from the application.',
  bad: `alter table invoice no force row level security;
create view every_invoice as select * from invoice;
grant select on every_invoice to app_user;`,
  good: `create view every_invoice with (security_invoker = true) as select * from invoice;
grant select on every_invoice to app_user;`,
};
