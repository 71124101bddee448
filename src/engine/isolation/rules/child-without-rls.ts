import { ident, sql } from '../../../pg/sql.js';
import { type CatalogRule, foundIn } from '../catalog-rule.js';
import { reachesApplication, tenantTables, withApplication } from '../tables.js';

interface Child {
  schema: string;
  name: string;
  parent: string;
  partition: boolean;
  reachable: boolean;
}

export const childWithoutRls: CatalogRule = {
  home: 'pool',
  rule: {
    name: 'child-without-rls',
    check: 'isolation',
    level: 'error',
    summary:
      'A partition or inheriting table has no row-level security of its own: whoever asks it by name passes by the policies of its parent.',
    explanation:
      'The policies of a parent hold for statements that name the parent. A statement that names the child is held to the policies of the child alone. While no application has a right on the child it is a warning: one GRANT ON ALL TABLES opens it.',
    remedy: 'Enable and force row-level security on the child; it is still reached through its parent.',
    bad: `create table activity_2030 partition of activity
  for values from ('2030-01-01 00:00:00+00') to ('2031-01-01 00:00:00+00');
grant select on activity_2030 to app_user;
revoke select on activity_2030 from app_user; -- the right is gone, the table still has no policies`,
    good: `create table activity_2030 partition of activity
  for values from ('2030-01-01 00:00:00+00') to ('2031-01-01 00:00:00+00');
alter table activity_2030 enable row level security;
alter table activity_2030 force row level security;`,
  },
  async find(context) {
    const children = await context.session.rows<Child>(sql`
      ${withApplication(context)}
      select t.schema, t.name, (select i.inhparent::regclass::text from pg_inherits i where i.inhrelid = t.oid limit 1) as parent,
             exists (select from aclexplode(t.acl) x where ${reachesApplication(sql`x.grantee`)}) as reachable
        from ${tenantTables(context)} t where t.child and not t.rls order by 1, 2`);
    return children.map(({ schema, name, parent, reachable }) =>
      foundIn(
        context,
        this.rule,
        `${schema}.${name}`,
        reachable
          ? `${schema}.${name} has no row-level security of its own and the application has rights on it: asked by name it shows the rows of all tenants`
          : `${schema}.${name} has no row-level security of its own: the first right that somebody gets on it shows the rows of all tenants of ${parent}`,
        {
          level: reachable ? 'error' : 'warning',
          sql: [
            sql`alter table ${ident(schema, name)} enable row level security`,
            sql`alter table ${ident(schema, name)} force row level security`,
          ],
          facts: { parent, reachable },
        },
      ),
    );
  },
};
