import { ident, sql } from '../../../pg/sql.js';
import { type CatalogRule, foundIn } from '../catalog-rule.js';
import { revoke } from '../statements.js';
import { granteeName, reachesApplication, tenantTables, withApplication } from '../tables.js';

interface View {
  schema: string;
  name: string;
  grantee: string | null;
  privileges: string[];
  tables: string[];
}

export const materializedViewReadable: CatalogRule = {
  home: 'pool',
  rule: {
    name: 'materialized-view-readable',
    check: 'isolation',
    level: 'error',
    summary:
      'The application may read a materialized view over tables of tenants: it holds the rows of all of them, and knows no policies.',
    explanation:
      'A materialized view is filled with what its owner sees and keeps it. Row-level security cannot be enabled on it.',
    remedy:
      'Take the right away, and give the application a view with security_invoker over a table instead.',
    bad: `create materialized view turnover as select tenant_id, sum(amount) from payment group by 1;
grant select on turnover to app_user;`,
    good: `create materialized view turnover as select tenant_id, sum(amount) from payment group by 1;`,
  },
  async find(context) {
    const views = await context.session.rows<View>(sql`
      ${withApplication(context)},
      reads (view, oid) as (
        select w.ev_class, d.refobjid from pg_rewrite w
          join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = w.oid and d.refclassid = 'pg_class'::regclass and d.refobjid <> w.ev_class
        union select r.view, d.refobjid from reads r join pg_rewrite w on w.ev_class = r.oid
          join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = w.oid and d.refclassid = 'pg_class'::regclass and d.refobjid <> w.ev_class)
      select n.nspname::text as schema, v.relname::text as name, ${granteeName(sql`x.grantee`)} as grantee,
             array_agg(distinct x.privilege_type) as privileges, array_agg(distinct t.schema || '.' || t.name) as tables
        from pg_class v join pg_namespace n on n.oid = v.relnamespace
        join reads r on r.view = v.oid join ${tenantTables(context)} t on t.oid = r.oid
        cross join aclexplode(v.relacl) x
       where v.relkind = 'm' and x.grantee <> v.relowner and ${reachesApplication(sql`x.grantee`)}
       group by 1, 2, x.grantee order by 1, 2, 3`);
    return views.map(({ schema, name, grantee, privileges, tables }) =>
      foundIn(
        context,
        this.rule,
        `${schema}.${name}`,
        `${grantee ?? 'PUBLIC'} may ${privileges.join(', ')} on materialized view ${schema}.${name}, which holds rows of all tenants out of ${tables.join(', ')}`,
        { sql: [revoke(privileges, 'TABLE', ident(schema, name), grantee)], facts: { grantee, tables } },
      ),
    );
  },
};
