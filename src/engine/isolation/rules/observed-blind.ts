import { type Sql, sql } from '../../../pg/sql.js';
import { type CatalogRule, type RuleContext, foundIn } from '../catalog-rule.js';
import { observedTables } from '../tables.js';

interface Blind {
  what: 'view' | 'materialized view' | 'function';
  schema: string;
  name: string;
  owner: string;
  tables: string[];
}

export const observedBlind: CatalogRule = {
  home: 'pool',
  rule: {
    name: 'observed-blind',
    check: 'isolation',
    level: 'warning',
    summary:
      'Something reads observed tables with the rights of their owner: enforced, it would see the session’s tenant only, or nobody.',
    explanation:
      'FORCE binds the owner as well. A view or a SECURITY DEFINER function of the owner’s that sums over all tenants would answer with one of them, or with nothing where the session has none; a materialized view that is refreshed without a tenant would be empty. Whatever else works as the owner, such as jobs, reports and exports, is not in the catalogs: it would see nothing until it says whose rows it wants.',
    remedy:
      'Let what needs the rows of all tenants act as a role of its own with BYPASSRLS, or leave the tables that it reads observed.',
    bad: `create table observed_sale (tenant_id uuid not null, amount int);
create view observed_turnover as select sum(amount) from observed_sale;`,
    good: `create table observed_sale (tenant_id uuid not null, amount int);
create view observed_turnover with (security_invoker = true) as select sum(amount) from observed_sale;`,
  },
  async find(context) {
    const objects = [
      ...(await context.session.rows<Blind>(views(context))),
      ...(await context.session.rows<Blind>(functions(context))),
    ];
    return objects.map(({ what, schema, name, owner, tables }) =>
      foundIn(
        context,
        this.rule,
        what === 'function' ? name : `${schema}.${name}`,
        `${what} ${what === 'function' ? name : `${schema}.${name}`} works with the rights of ${owner}${tables.length === 0 ? '' : ` on ${tables.join(', ')}`}: with these tables enforced it would ${what === 'materialized view' ? 'hold what its refresher may see, which may be nothing' : 'answer with the rows of one tenant, or with none'}`,
        { level: what === 'function' ? 'info' : 'warning', sql: [], facts: { owner, tables } },
      ),
    );
  },
};

/** Views that run as a role which policies would bind. */
function views(context: RuleContext): Sql {
  return sql`
    with t as materialized ${observedTables(context)}
    select case v.relkind when 'm' then 'materialized view' else 'view' end as what, n.nspname::text as schema, v.relname::text as name,
           o.rolname::text as owner, array_agg(distinct t.schema || '.' || t.name) as tables
      from t join pg_depend d on d.refclassid = 'pg_class'::regclass and d.refobjid = t.oid and d.classid = 'pg_rewrite'::regclass
      join pg_rewrite w on w.oid = d.objid join pg_class v on v.oid = w.ev_class
      join pg_namespace n on n.oid = v.relnamespace join pg_roles o on o.oid = v.relowner
     where v.relkind in ('v', 'm') and not (o.rolsuper or o.rolbypassrls)
       and not coalesce(v.reloptions && array['security_invoker=true', 'security_invoker=on', 'security_invoker=1', 'security_invoker=yes'], false)
     group by 1, 2, 3, 4 order by 2, 3`;
}

/** What their bodies read is not known to the catalogs: all that run as an owner of such a table. */
function functions(context: RuleContext): Sql {
  return sql`
    select 'function' as what, n.nspname::text as schema, p.oid::regprocedure::text as name, o.rolname::text as owner, '{}'::text[] as tables
      from pg_proc p join pg_namespace n on n.oid = p.pronamespace join pg_roles o on o.oid = p.proowner
     where p.prosecdef and n.nspname not in ('tenantctl', 'pg_catalog', 'information_schema') and not (o.rolsuper or o.rolbypassrls)
       and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
       and exists (select from ${observedTables(context)} t where pg_has_role(o.oid, t.owner, 'USAGE')) order by 2, 3`;
}
