import { ident, sql } from '../../../pg/sql.js';
import { type CatalogRule, foundIn } from '../catalog-rule.js';
import { tenantTables } from '../tables.js';

interface View {
  schema: string;
  name: string;
  owner: string;
  tables: string[];
  /** Those whose policies do not bind the owner. */
  bypassed: string[];
}

export const viewWithoutInvoker: CatalogRule = {
  home: 'pool',
  rule: {
    name: 'view-without-invoker',
    check: 'isolation',
    level: 'warning',
    summary:
      'A view over tables of tenants runs with the rights of its owner: it shows what the owner sees, not what the session may see.',
    explanation:
      'Without security_invoker both rights and policies are those of the owner of the view. Where they do not bind the owner (a superuser, a role with BYPASSRLS, the owner of a table that does not force them) the view shows the rows of all tenants, and that is an error. Elsewhere one ALTER ROLE or ALTER TABLE is enough for it.',
    remedy: 'Let the view run with the rights of the session: security_invoker, since PostgreSQL 15.',
    bad: 'create view credit_note_list as select * from credit_note;',
    good: 'create view credit_note_list with (security_invoker = true) as select * from credit_note;',
  },
  async find(context) {
    const views = await context.session.rows<View>(sql`
      with t as materialized ${tenantTables(context)}
      select n.nspname::text as schema, v.relname::text as name, o.rolname::text as owner,
             array_agg(distinct t.schema || '.' || t.name) as tables,
             coalesce(array_agg(distinct t.schema || '.' || t.name)
               filter (where o.rolsuper or o.rolbypassrls or not t.rls or (not t.forced and pg_has_role(o.oid, t.owner, 'USAGE'))), '{}') as bypassed
        from t join pg_depend d on d.refclassid = 'pg_class'::regclass and d.refobjid = t.oid and d.classid = 'pg_rewrite'::regclass
        join pg_rewrite w on w.oid = d.objid join pg_class v on v.oid = w.ev_class
        join pg_namespace n on n.oid = v.relnamespace join pg_roles o on o.oid = v.relowner
       where v.relkind = 'v' and not coalesce(v.reloptions && array['security_invoker=true', 'security_invoker=on', 'security_invoker=1', 'security_invoker=yes'], false)
       group by 1, 2, 3 order by 1, 2`);
    return views.map(({ schema, name, owner, tables, bypassed }) =>
      foundIn(
        context,
        this.rule,
        `${schema}.${name}`,
        bypassed.length > 0
          ? `view ${schema}.${name} runs with the rights of ${owner}, whom the policies of ${bypassed.join(', ')} do not bind: it shows the rows of all tenants`
          : `view ${schema}.${name} over ${tables.join(', ')} runs with the rights of ${owner}: only that the policies bind ${owner} as well keeps tenants apart there`,
        {
          level: bypassed.length > 0 ? 'error' : 'warning',
          sql: [sql`alter view ${ident(schema, name)} set (security_invoker = true)`],
          facts: { owner, tables, bypassed },
        },
      ),
    );
  },
};
