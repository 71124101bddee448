import { ident, sql } from '../../../pg/sql.js';
import { type CatalogRule, foundOn } from '../catalog-rule.js';
import { withHomes } from '../roles.js';

interface Right {
  database: string;
  tenant: string;
  role: string;
  other: string;
}

export const foreignConnect: CatalogRule = {
  home: 'cluster',
  rule: {
    name: 'foreign-connect',
    check: 'isolation',
    level: 'error',
    summary: 'The role of one tenant may connect to the database of another.',
    explanation:
      'CONNECT is what keeps the database of a tenant from others. A role that gets in finds everything that PUBLIC may do there.',
    remedy: 'Revoke CONNECT on the database from the role.',
    bad: 'grant connect on database d_corp to d_dune;',
    good: 'grant connect on database d_corp to d_corp;',
  },
  async find(context) {
    const rights = await context.session.rows<Right>(sql`
      ${withHomes(context)}
      select distinct d.datname::text as database, h.tenant, o.role, o.tenant as other
        from home h join pg_database d on d.datname = h.database cross join aclexplode(d.datacl) x
        join pg_roles r on r.oid = x.grantee join home o on o.role = r.rolname and o.tenant <> h.tenant
       where h.dedicated and x.privilege_type = 'CONNECT' order by 1, 3`);
    return rights.map(({ database, tenant, role, other }) =>
      foundOn(
        context,
        this.rule,
        `database ${database}, CONNECT of ${role}`,
        `role ${role} of tenant ${other} may connect to ${database}, the database of tenant ${tenant}`,
        {
          sql: [sql`revoke connect on database ${ident(database)} from ${ident(role)}`],
          facts: { tenant, other, role },
        },
      ),
    );
  },
};
