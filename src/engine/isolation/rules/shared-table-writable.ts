import { ident, sql } from '../../../pg/sql.js';
import { type CatalogRule, foundIn } from '../catalog-rule.js';
import { revoke } from '../statements.js';
import { granteeName, isObserved, poolSchemas, reachesApplication, withApplication } from '../tables.js';

interface Right {
  schema: string;
  name: string;
  grantee: string | null;
  privileges: string[];
}

export const sharedTableWritable: CatalogRule = {
  home: 'pool',
  rule: {
    name: 'shared-table-writable',
    check: 'isolation',
    level: 'error',
    summary:
      'The application may write a table that all tenants share: what one tenant changes, all others read.',
    explanation:
      'A table of a pool without the tenant column belongs to the product. The application reads it; what it may write is listed in tenancy.shared, so that it was decided once.',
    remedy: 'Take the right away, or name the table in tenancy.shared if tenants are meant to write it.',
    bad: 'grant update on currency to app_user;',
    good: 'grant select on currency to app_user;',
  },
  async find(context) {
    const { column, shared } = context.tenancy;
    const rights = await context.session.rows<Right>(sql`
      ${withApplication(context)}
      select n.nspname::text as schema, c.relname::text as name, ${granteeName(sql`x.grantee`)} as grantee, array_agg(distinct x.privilege_type) as privileges
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        cross join lateral (select * from aclexplode(c.relacl) union all
          select y.* from pg_attribute a, aclexplode(a.attacl) y where a.attrelid = c.oid and not a.attisdropped) x
       where n.nspname = any (${poolSchemas(context)}::text[]) and c.relkind in ('r', 'p') and c.relname <> all (${shared}::text[])
         and not ${isObserved(context)}
         and not exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = ${column} and not a.attisdropped)
         and x.privilege_type in ('INSERT', 'UPDATE', 'DELETE') and x.grantee not in (0, c.relowner) and ${reachesApplication(sql`x.grantee`)}
       group by 1, 2, x.grantee order by 1, 2, 3`);
    return rights.map(({ schema, name, grantee, privileges }) =>
      foundIn(
        context,
        this.rule,
        `${schema}.${name}`,
        `${grantee ?? 'PUBLIC'} may ${privileges.join(', ')} on ${schema}.${name}, which all tenants share: what one changes, all others read`,
        { sql: [revoke(privileges, 'TABLE', ident(schema, name), grantee)], facts: { grantee, privileges } },
      ),
    );
  },
};
