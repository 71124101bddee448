import { ident, sql } from '../../../pg/sql.js';
import { type CatalogRule, type RuleContext, foundIn } from '../catalog-rule.js';
import { revoke } from '../statements.js';
import { actingRoles } from '../roles.js';
import { granteeName } from '../tables.js';

interface Table {
  schema: string;
  name: string;
  grantee: string | null;
  privileges: string[];
  tenanted: boolean;
}

export const foreignTable: CatalogRule = {
  home: 'any',
  rule: {
    name: 'foreign-table',
    check: 'isolation',
    level: 'warning',
    summary:
      'An application has rights on a foreign table, in a pool or in the home of a tenant: row-level security does not exist for it, and it shows whatever the other side shows.',
    explanation:
      'Row-level security cannot be enabled on a foreign table, and the session’s tenant is not known on the other server. With the tenant column it holds rows of many tenants, which is an error. In a schema or database of a tenant’s own it is a door to a place where nobody keeps tenants apart for it.',
    remedy:
      'Take the right away as the owner of the table (a REVOKE by another role only warns), and let a job of the administrator’s copy what tenants need.',
    bad: `-- as a superuser
create foreign data wrapper elsewhere; create server elsewhere foreign data wrapper elsewhere;
create foreign table old_invoice (tenant_id uuid, id bigint) server elsewhere;
grant select on old_invoice to app_user;`,
    good: `-- as a superuser
create foreign data wrapper elsewhere; create server elsewhere foreign data wrapper elsewhere;
create foreign table old_invoice (tenant_id uuid, id bigint) server elsewhere;`,
  },
  async find(context) {
    const tables = await context.session.rows<Table>(sql`
      ${actingRoles(context)}
      select n.nspname::text as schema, c.relname::text as name, ${granteeName(sql`x.grantee`)} as grantee, array_agg(distinct x.privilege_type) as privileges,
             exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = ${context.tenancy.column} and not a.attisdropped) as tenanted
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        cross join lateral (select * from aclexplode(c.relacl) union all
          select y.* from pg_attribute b, aclexplode(b.attacl) y where b.attrelid = c.oid and not b.attisdropped) x
       where c.relkind = 'f' and n.nspname not in ('pg_catalog', 'information_schema', 'tenantctl', 'tenantctl_catalog') and x.grantee <> c.relowner
         and x.privilege_type in ('SELECT', 'INSERT', 'UPDATE', 'DELETE')
         and (x.grantee = 0 or exists (select from acting a where pg_has_role(a.oid, x.grantee, 'USAGE')))
       group by 1, 2, x.grantee, 5 order by 1, 2, 3`);
    return tables.map(({ schema, name, grantee, privileges, tenanted }) =>
      foundIn(
        context,
        this.rule,
        `${schema}.${name}`,
        `${grantee ?? 'PUBLIC'} may ${privileges.join(', ')} on foreign table ${schema}.${name}${homeOf(context, schema)}, for which there are no policies: it shows what the other server shows${tenanted ? ', of all tenants' : ''}`,
        {
          level: tenanted ? 'error' : 'warning',
          sql: [revoke(privileges, 'TABLE', ident(schema, name), grantee)],
          facts: { grantee, privileges },
        },
      ),
    );
  },
};

function homeOf({ homes }: RuleContext, schema: string): string {
  const home = homes.find((one) => one.schema === schema || one.dedicated);
  return home === undefined ? '' : ` in the home of tenant ${home.tenant}`;
}
