import type { Rule } from '../../../core/rule.js';

export const tenantDatabaseReached: Rule = {
  name: 'tenant-database-reached',
  check: 'isolation',
  level: 'error',
  summary: "The role of one tenant may connect to another tenant's database.",
  explanation:
    'PostgreSQL lets everybody connect to a new database; only a REVOKE from PUBLIC ends that, and one by a role that does not own the database changes nothing.',
  remedy: 'Revoke CONNECT from PUBLIC and from the role, as the owner of the database, and read it back.',
  bad: `grant connect on database tenant_acme to public;`,
  good: `revoke connect on database tenant_acme from public;`,
};
