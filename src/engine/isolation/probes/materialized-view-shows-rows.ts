import type { Rule } from '../../../core/rule.js';

export const materializedViewShowsRows: Rule = {
  name: 'materialized-view-shows-rows',
  check: 'isolation',
  level: 'error',
  summary: 'The application reads a materialized view that holds what all tenants have.',
  explanation:
    'A materialized view is filled once, with the rights of its owner, and has no row-level security of its own. Without any tenant in the session it showed rows.',
  remedy:
    'Revoke it from the application, and let it read through a view with security_invoker that filters by the tenant setting.',
  bad: `set tenantctl.scope = 'fleet';
create materialized view revenue as select tenant_id, count(*) as rows from tenant_settings group by tenant_id;
grant select on revenue to app_user;`,
  good: `set tenantctl.scope = 'fleet';
create materialized view revenue as select tenant_id, count(*) as rows from tenant_settings group by tenant_id;`,
};
