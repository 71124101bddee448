import { ident, sql } from '../../../pg/sql.js';
import { type CatalogRule, foundIn } from '../catalog-rule.js';
import { withHomes } from '../roles.js';
import { revoke, someOf } from '../statements.js';

interface Right {
  schema: string;
  tenant: string;
  kind: 'SCHEMA' | 'TABLE' | 'SEQUENCE';
  objects: string[];
  privileges: string[];
}

export const tenantSchemaPublic: CatalogRule = {
  home: 'schema',
  rule: {
    name: 'tenant-schema-public',
    check: 'isolation',
    level: 'error',
    summary: 'PUBLIC has rights in the schema of a tenant: every other tenant has them too.',
    explanation:
      'PUBLIC is every role there is and will be. USAGE on the schema lets all of them in; rights on its tables alone are a warning, because only the door of the schema keeps others from them.',
    remedy: 'Take the rights of PUBLIC away.',
    bad: 'grant usage on schema t_beta to public;',
    good: 'grant usage on schema t_beta to t_beta;',
  },
  async find(context) {
    const rights = await context.session.rows<Right>(sql`
      ${withHomes(context)},
      place (oid, schema, tenant) as (select n.oid, n.nspname::text, h.tenant from home h join pg_namespace n on n.nspname = h.schema where not h.dedicated)
      select schema, tenant, kind, array_agg(distinct object) as objects, array_agg(distinct privilege_type) as privileges from (
        select p.schema, p.tenant, 'SCHEMA' as kind, p.schema as object, x.privilege_type
          from place p join pg_namespace n on n.oid = p.oid cross join aclexplode(n.nspacl) x where x.grantee = 0
        union all select p.schema, p.tenant, case c.relkind when 'S' then 'SEQUENCE' else 'TABLE' end, c.relname::text, x.privilege_type
          from pg_class c join place p on p.oid = c.relnamespace cross join aclexplode(c.relacl) x where c.relacl is not null and x.grantee = 0) r
       group by 1, 2, 3 order by 1, 3`);
    return rights.map(({ schema, tenant, kind, objects, privileges }) =>
      foundIn(
        context,
        this.rule,
        `${schema}, ${kind.toLowerCase()} rights`,
        `PUBLIC has ${privileges.join(', ')} on ${kind === 'SCHEMA' ? `schema ${schema}` : `${someOf(objects)} in schema ${schema}`} of tenant ${tenant}: every other tenant has them too`,
        {
          level: kind === 'SCHEMA' ? 'error' : 'warning',
          sql: objects.map((object) =>
            revoke(['all'], kind, kind === 'SCHEMA' ? ident(schema) : ident(schema, object), null),
          ),
          facts: { tenant, objects, privileges },
        },
      ),
    );
  },
};
