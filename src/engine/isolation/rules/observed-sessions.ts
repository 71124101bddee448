import { sql } from '../../../pg/sql.js';
import { type CatalogRule, foundIn } from '../catalog-rule.js';
import { observedTables } from '../tables.js';

interface Users {
  schema: string;
  /** Roles that may read or write its tables, owners among them, and those of them that no policy binds. */
  roles: string[];
  unbound: string[];
}

export const observedSessions: CatalogRule = {
  home: 'pool',
  rule: {
    name: 'observed-sessions',
    check: 'isolation',
    level: 'info',
    summary:
      'Roles use the tables of an observed pool: enforced, each of their sessions has to say whose tenant it works for.',
    explanation:
      'A policy asks the session for its tenant (`tenancy.setting`). A session that does not say it sees no row of an enforced table, and can add none, without an error. No catalog tells whether an application says it, so nobody can know that from here: its code does, or a trial of one table. Superusers and roles with BYPASSRLS are not bound.',
    remedy:
      'See that the application sets the tenant in every transaction (`set_config(…, true)`) before the first table is enforced; begin with one that matters little.',
    bad: `create table observed_use (tenant_id uuid not null, body text);
grant select on observed_use to app_user;`,
    good: `create table observed_use (body text);
grant select on observed_use to app_user;`,
  },
  async find(context) {
    const { setting } = context.tenancy;
    const pools = await context.session.rows<Users>(sql`
      select u.schema, array_agg(distinct r.rolname::text) filter (where not (r.rolsuper or r.rolbypassrls)) as roles,
             coalesce(array_agg(distinct r.rolname::text) filter (where r.rolsuper or r.rolbypassrls), '{}') as unbound
        from (select t.schema, t.owner as role from ${observedTables(context)} t
              union select t.schema, x.grantee from ${observedTables(context)} t, aclexplode(t.acl) x
               where x.privilege_type in ('SELECT', 'INSERT', 'UPDATE', 'DELETE')) u
        join pg_roles r on r.oid = u.role where r.rolname <> session_user group by 1 order by 1`);
    return pools
      .filter(({ roles }) => roles !== null && roles.length > 0)
      .map(({ schema, roles, unbound }) =>
        foundIn(
          context,
          this.rule,
          `${schema}.*`,
          `${roles.join(', ')} use${roles.length === 1 ? 's' : ''} tables of ${schema}: with a table enforced, a session that does not set ${setting} sees none of its rows; whether they set it cannot be known from here${unbound.length === 0 ? '' : `; ${unbound.join(', ')} would not be bound`}`,
          { sql: [], facts: { roles, unbound, setting } },
        ),
      );
  },
};
