import { ident, sql } from '../../../pg/sql.js';
import { type CatalogRule, foundIn } from '../catalog-rule.js';
import { revoke } from '../statements.js';
import { granteeName, reachesApplication, tenantTables, withApplication } from '../tables.js';

interface Door {
  schema: string;
  name: string;
  grantee: string | null;
  privileges: string[];
}

export const childReachable: CatalogRule = {
  home: 'pool',
  rule: {
    name: 'child-reachable',
    check: 'isolation',
    level: 'warning',
    summary:
      'The application has rights on a partition or inheriting table itself: a second door beside the parent, with policies of its own to keep.',
    explanation:
      'A partition is reached through its parent, whose rights and policies decide. A right on the partition is decided by the policies of the partition alone, which are easily forgotten when the parent gets new ones. An inheriting table that has the policy of this tool is kept by it like every other table.',
    remedy: 'Take the right away; statements through the parent need none.',
    bad: 'grant select on activity_2025 to app_user;',
    good: 'grant select on activity to app_user;',
  },
  async find(context) {
    const doors = await context.session.rows<Door>(sql`
      ${withApplication(context)}
      select t.schema, t.name, ${granteeName(sql`x.grantee`)} as grantee, array_agg(x.privilege_type order by 1) as privileges
        from ${tenantTables(context)} t, aclexplode(t.acl) x
       where t.child and t.rls and (exists (select from pg_class c where c.oid = t.oid and c.relispartition)
           or not exists (select from pg_policy p where p.polrelid = t.oid and p.polname = 'tenantctl_tenant'))
         and x.grantee <> t.owner and ${reachesApplication(sql`x.grantee`)}
       group by 1, 2, x.grantee order by 1, 2, 3`);
    return doors.map(({ schema, name, grantee, privileges }) =>
      foundIn(
        context,
        this.rule,
        `${schema}.${name}`,
        `${grantee ?? 'PUBLIC'} may ${privileges.join(', ')} on ${schema}.${name} itself, past the rights and policies of its parent`,
        { sql: [revoke(privileges, 'TABLE', ident(schema, name), grantee)], facts: { grantee, privileges } },
      ),
    );
  },
};
