import type { Rule } from '../../../core/rule.js';

export const tenantSchemaReached: Rule = {
  name: 'tenant-schema-reached',
  check: 'isolation',
  level: 'error',
  summary: "The role of one tenant reads a table of another tenant's schema.",
  explanation:
    'Each role was assumed, as the application does it, and asked for tables of its neighbours. Outside pools nothing but privileges keeps tenants apart.',
  remedy: 'Revoke USAGE on the schema from every role but its tenant’s own, and from PUBLIC.',
  bad: `grant usage on schema t_acme to public;
grant select on all tables in schema t_acme to public;`,
  good: `revoke all on schema t_acme from public;
revoke all on all tables in schema t_acme from public;`,
};
