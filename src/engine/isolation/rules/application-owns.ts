import { ident, raw, sql } from '../../../pg/sql.js';
import { type CatalogRule, foundIn } from '../catalog-rule.js';
import { ANOTHER_LOGIN, readKeepers } from '../keepers.js';
import { withApplication } from '../tables.js';

interface Owned {
  schema: string;
  kind: string;
  identity: string;
  role: string;
}

export const applicationOwns: CatalogRule = {
  home: 'any',
  rule: {
    name: 'application-owns',
    check: 'isolation',
    level: 'error',
    summary:
      'The role of the application owns a table, view, sequence, function or schema: it can turn the policies off, and give rights away.',
    explanation:
      'An owner may disable row-level security, drop policies, TRUNCATE, and grant rights. Whoever makes SQL run as the application, by an injection for one, does that with one statement more.',
    remedy:
      'Give the object to the administrator, or to the owner of the other tables where another tool had made them. Migrations never run as the application.',
    bad: `create table app.scratch (id bigint primary key);
grant create on schema app to app_user;
alter table app.scratch owner to app_user;
revoke create on schema app from app_user;`,
    good: 'create table app.scratch (id bigint primary key);',
  },
  async find(context) {
    const owned = await context.session.rows<Owned>(sql`
      ${withApplication(context)},
      owned as (
        select c.relnamespace as namespace, c.relname::text as name, c.relowner as owner, null::text as signature,
               case c.relkind when 'v' then 'view' when 'm' then 'materialized view' when 'S' then 'sequence' when 'f' then 'foreign table' else 'table' end as kind
          from pg_class c where c.relkind in ('r', 'p', 'v', 'm', 'S', 'f')
           and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype in ('a', 'i') and d.refobjsubid > 0)
        union all select p.pronamespace, p.proname, p.proowner, p.oid::regprocedure::text, case p.prokind when 'p' then 'procedure' else 'function' end from pg_proc p
        union all select n.oid, null, n.nspowner, null, 'schema' from pg_namespace n)
      select n.nspname::text as schema, o.kind, coalesce(o.signature, quote_ident(n.nspname) || coalesce('.' || quote_ident(o.name), '')) as identity, a.name as role
        from owned o join application a on a.oid = o.owner join pg_namespace n on n.oid = o.namespace
       where n.nspname !~ '^pg_(temp|toast)' order by 1, 2, 3`);
    const keeperOf = await readKeepers(context.session);
    return owned.map(({ schema, kind, identity, role }) => {
      const keeper = keeperOf(schema);
      const give = [
        sql`alter ${raw(kind)} ${raw(identity)} owner to ${ident(keeper)}`,
        ...(kind === 'table'
          ? [
              sql`revoke all on ${raw(identity)} from ${ident(role)}`,
              sql`grant select on ${raw(identity)} to ${ident(role)}`,
            ]
          : []),
      ];
      return foundIn(
        context,
        this.rule,
        identity.replaceAll('"', ''),
        `${role} owns ${kind} ${identity}: whatever SQL runs as the application can turn its policies off and give rights away`,
        {
          ...(keeper === role ? { hint: ANOTHER_LOGIN } : {}),
          sql: keeper === role ? [] : give,
          facts: { owner: role, kind },
        },
      );
    });
  },
};
