import { ident, sql } from '../../../pg/sql.js';
import { type CatalogRule, foundOn } from '../catalog-rule.js';
import { inherits, withHomes } from '../roles.js';
import { someOf } from '../statements.js';

interface Member {
  member: string;
  tenants: string[];
  roles: string[];
  inherits: boolean;
}

export const roleInherits: CatalogRule = {
  home: 'cluster',
  rule: {
    name: 'role-inherits',
    check: 'isolation',
    level: 'error',
    summary:
      'The application has the rights of a tenant’s role without assuming it: SQL that forgot to choose a tenant reaches into schemas.',
    explanation:
      'The application may assume the role of any open tenant, for one transaction. When it inherits their rights, a statement without a tenant is not refused any more, and a wrong search_path reads another tenant. The right to hand the membership on is a warning.',
    remedy:
      'Grant the membership WITH INHERIT FALSE, SET TRUE; before PostgreSQL 16, make the role NOINHERIT.',
    bad: 'create role app_job login inherit in role app_user; grant d_dune to app_job;',
    good: 'create role app_job login noinherit in role app_user; grant d_dune to app_job;',
  },
  async find(context) {
    const members = await context.session.rows<Member>(sql`
      ${withHomes(context)},
      application (oid) as (
        select oid from pg_roles where rolname = ${context.tenancy.appRole}
        union select m.member from application a join pg_auth_members m on m.roleid = a.oid join pg_roles r on r.oid = m.member
         where r.rolname <> session_user and not r.rolsuper)
      select r.rolname::text as member, array_agg(distinct h.tenant) as tenants, array_agg(distinct h.role) as roles, ${inherits(sql`m`, sql`r`)} as inherits
        from pg_auth_members m join pg_roles r on r.oid = m.member join pg_roles o on o.oid = m.roleid
        join home h on h.role = o.rolname join application a on a.oid = m.member
       where ${inherits(sql`m`, sql`r`)} or m.admin_option
       group by 1, 4 order by 1, 4`);
    const optioned = context.session.version >= OPTIONS_SINCE;
    return members.map(({ member, tenants, roles, inherits: inherited }) =>
      foundOn(
        context,
        this.rule,
        `role ${member}, ${inherited ? 'rights of' : 'admin option on'} tenants`,
        inherited
          ? `role ${member} has the rights of ${counted(tenants)} without assuming their roles`
          : `role ${member} may hand the roles of ${counted(tenants)} on to anybody`,
        {
          level: inherited ? 'error' : 'warning',
          sql: !inherited
            ? roles.map((role) => sql`revoke admin option for ${ident(role)} from ${ident(member)}`)
            : optioned
              ? roles.map(
                  (role) => sql`grant ${ident(role)} to ${ident(member)} with inherit false, set true`,
                )
              : [sql`alter role ${ident(member)} noinherit`],
          facts: { role: member, tenants },
        },
      ),
    );
  },
};

/** Grants say whether they are inherited. */
const OPTIONS_SINCE = 160_000;

/** `tenant acme`, `2 tenants (acme, beta)` */
function counted(tenants: readonly string[]): string {
  return tenants.length === 1 ? `tenant ${tenants[0]}` : `${tenants.length} tenants (${someOf(tenants)})`;
}
