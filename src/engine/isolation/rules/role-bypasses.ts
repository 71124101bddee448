import { ident, raw, sql } from '../../../pg/sql.js';
import { type CatalogRule, foundOn } from '../catalog-rule.js';
import { actingRoles } from '../roles.js';

interface Role {
  name: string;
  attributes: string[];
}

export const roleBypasses: CatalogRule = {
  home: 'cluster',
  rule: {
    name: 'role-bypasses',
    check: 'isolation',
    level: 'error',
    summary:
      'A role that applications act as is a superuser, or bypasses row-level security: policies and schemas hold nothing apart.',
    explanation:
      'Policies do not bind superusers nor roles with BYPASSRLS; tests that run as such a role are green whatever the policies say. Some managed services give BYPASSRLS to the role that they create first. CREATEROLE and REPLICATION read around tenants as well, and are warnings.',
    remedy:
      'Let the application log in as a role without the attribute. Only a role that has it can take it away.',
    bad: `-- as a superuser
create role app_web login in role app_user; alter role app_web bypassrls;`,
    good: 'create role app_web login in role app_user;',
  },
  async find(context) {
    const roles = await context.session.rows<Role>(sql`
      ${actingRoles(context)}
      select r.rolname::text as name, array_remove(array[case when r.rolsuper then 'SUPERUSER' end, case when r.rolbypassrls then 'BYPASSRLS' end,
             case when r.rolcreaterole then 'CREATEROLE' end, case when r.rolreplication then 'REPLICATION' end], null) as attributes
        from acting a join pg_roles r on r.oid = a.oid
       where r.rolsuper or r.rolbypassrls or r.rolcreaterole or r.rolreplication order by 1`);
    return roles.map(({ name, attributes }) => {
      const grave = attributes.includes('SUPERUSER') || attributes.includes('BYPASSRLS');
      return foundOn(
        context,
        this.rule,
        `role ${name}`,
        grave
          ? `role ${name}, as which applications act, has ${attributes.join(', ')}: no policy binds it, and it reads all tenants`
          : `role ${name}, as which applications act, has ${attributes.join(', ')}: it can make itself a way to the rows of all tenants`,
        {
          level: grave ? 'error' : 'warning',
          sql: [
            sql`alter role ${ident(name)} ${raw(attributes.map((word) => `no${word}`.toLowerCase()).join(' '))}`,
          ],
          facts: { role: name, attributes },
        },
      );
    });
  },
};
