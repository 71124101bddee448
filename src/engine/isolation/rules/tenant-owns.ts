import { ident, raw, sql } from '../../../pg/sql.js';
import { type CatalogRule, foundIn } from '../catalog-rule.js';
import { ANOTHER_LOGIN, readKeepers } from '../keepers.js';
import { withHomes } from '../roles.js';
import { someOf } from '../statements.js';

interface Owned {
  schema: string;
  role: string;
  /** In a fleet that another tool had made they may share it. */
  tenants: string[];
  kinds: string[];
  identities: string[];
}

export const tenantOwns: CatalogRule = {
  home: 'any',
  rule: {
    name: 'tenant-owns',
    check: 'isolation',
    level: 'warning',
    summary:
      'The role of a tenant owns a schema, table, sequence, view or function: it can open it to other tenants, and change it under the migrations.',
    explanation:
      'An owner grants rights to whomever it likes, so one injected statement in the session of one tenant opens its data to all. Migrations meet objects that the administrator does not own, and a deletion meets a role that cannot be dropped.',
    remedy:
      'Give the objects to the administrator, or to the owner of the other tables where another tool had made the home; the tenant’s role keeps the rights that it uses.',
    bad: `create table t_beta.own_notes (id bigint primary key);
grant create on schema t_beta to t_beta;
alter table t_beta.own_notes owner to t_beta;
revoke create on schema t_beta from t_beta;`,
    good: 'create table t_beta.own_notes (id bigint primary key);',
  },
  async find(context) {
    const owned = await context.session.rows<Owned>(sql`
      ${withHomes(context)},
      owner (oid, role, tenants) as (select r.oid, h.role, array_agg(distinct h.tenant order by h.tenant) from home h join pg_roles r on r.rolname = h.role group by 1, 2),
      owned as (
        select n.nspname::text as schema, n.nspowner as owner, 'schema' as kind, quote_ident(n.nspname) as identity from pg_namespace n where n.nspname !~ '^pg_(temp|toast)'
        union all select n.nspname, c.relowner, case c.relkind when 'v' then 'view' when 'm' then 'materialized view' when 'S' then 'sequence' when 'f' then 'foreign table' else 'table' end,
               quote_ident(n.nspname) || '.' || quote_ident(c.relname)
          from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind in ('r', 'p', 'v', 'm', 'S', 'f') and n.nspname !~ '^pg_(temp|toast)'
           and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype in ('a', 'i') and d.refobjsubid > 0)
        union all select n.nspname, p.proowner, case p.prokind when 'p' then 'procedure' else 'function' end, p.oid::regprocedure::text
          from pg_proc p join pg_namespace n on n.oid = p.pronamespace where p.proowner in (select oid from owner))
      select o.schema, w.role, w.tenants, array_agg(o.kind order by o.identity) as kinds, array_agg(o.identity order by o.identity) as identities
        from owned o join owner w on w.oid = o.owner group by 1, 2, 3 order by 1, 2`);
    const keeperOf = await readKeepers(context.session);
    return owned.map(({ schema, role, tenants, kinds, identities }) => {
      const keeper = keeperOf(schema);
      const of = tenants.length === 1 ? `tenant ${tenants[0]}` : `tenants ${someOf(tenants)}`;
      const give = (identity: string, n: number) =>
        sql`alter ${raw(kinds[n] ?? 'table')} ${raw(identity)} owner to ${ident(keeper)}`;
      return foundIn(
        context,
        this.rule,
        `${schema}, objects of ${role}`,
        `role ${role} of ${of} owns ${someOf(identities)}: it can open them to other tenants and change them under the migrations`,
        {
          ...(keeper === role ? { hint: ANOTHER_LOGIN } : {}),
          sql: keeper === role ? [] : identities.map(give),
          facts: { tenant: tenants[0], tenants, role, objects: identities },
        },
      );
    });
  },
};
