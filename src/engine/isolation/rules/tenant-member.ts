import { ident, sql } from '../../../pg/sql.js';
import { type CatalogRule, foundOn } from '../catalog-rule.js';
import { namesOf, withHomes } from '../roles.js';

interface Path {
  path: string[];
  tenant: string;
  other: string;
}

export const tenantMember: CatalogRule = {
  home: 'cluster',
  rule: {
    name: 'tenant-member',
    check: 'isolation',
    level: 'error',
    summary:
      'The role of one tenant is a member of the role of another: it has, or may take, all its rights.',
    explanation:
      'Membership is transitive, and a role that does not inherit may still say SET ROLE. Applications assume a tenant’s role for a transaction; from there they must reach nobody else.',
    remedy: 'Take the membership away where the path begins.',
    bad: 'create role partners; grant partners to t_beta; grant t_acme to partners;',
    good: 'create role partners; grant partners to t_beta;',
  },
  async find(context) {
    const paths = await context.session.rows<Path>(sql`
      ${withHomes(context)},
      tenant (oid, role, tenant) as (select distinct r.oid, h.role, h.tenant from home h join pg_roles r on r.rolname = h.role),
      path (start, oid, seen) as (
        select t.oid, t.oid, array[t.oid] from tenant t
        union all select p.start, m.roleid, p.seen || m.roleid from path p join pg_auth_members m on m.member = p.oid
         where m.roleid <> all (p.seen) and cardinality(p.seen) < 8 and (cardinality(p.seen) = 1 or p.oid not in (select oid from tenant)))
      select ${namesOf(sql`p.seen`)} as path, a.tenant, b.tenant as other from path p join tenant a on a.oid = p.start join tenant b on b.oid = p.oid
       where p.start <> p.oid order by 1`);
    return paths.map(({ path, tenant, other }) => {
      const [role = '', next = ''] = path;
      return foundOn(
        context,
        this.rule,
        `role ${role}, member of ${path.at(-1) ?? ''}`,
        `the role of tenant ${tenant} becomes ${path.slice(1).join(', then ')}: it reads and writes the data of tenant ${other}`,
        { sql: [sql`revoke ${ident(next)} from ${ident(role)}`], facts: { tenant, other, path } },
      );
    });
  },
};
