import { ident, raw, sql } from '../../../pg/sql.js';
import { type CatalogRule, foundIn } from '../catalog-rule.js';
import { inherits, withHomes } from '../roles.js';
import { someOf } from '../statements.js';

interface Right {
  schema: string;
  /** The tenant whose schema it is, and the role that gets into it. */
  tenant: string;
  role: string;
  /** The role that the rights were granted to. */
  grantee: string;
  kind: string;
  objects: string[];
  privileges: string[];
}

export const tenantCrosses: CatalogRule = {
  home: 'schema',
  rule: {
    name: 'tenant-crosses',
    check: 'isolation',
    level: 'error',
    summary:
      'A role has rights in the schema of a tenant that is not its own: another tenant, or the application without choosing a tenant, gets in.',
    explanation:
      'Only the tenant’s own role may enter its schema. USAGE on the schema opens the door; rights on tables without it wait behind a door that somebody may open. Rights of a role that it is a member of count as well; membership in the tenant’s own role is told by tenant-member and role-inherits.',
    remedy: 'Take the rights away from the role they were granted to.',
    bad: 'grant usage on schema t_acme to t_beta;',
    good: 'grant usage on schema t_acme to t_acme;',
  },
  async find(context) {
    const rights = await context.session.rows<Right>(sql`
      ${withHomes(context)},
      acting (role) as (select oid from pg_roles where rolname in (select role from home union select ${context.tenancy.appRole})),
      holds (role, oid) as (
        select role, role from acting
        union select h.role, m.roleid from holds h join pg_auth_members m on m.member = h.oid
          join pg_roles r on r.oid = m.member where ${inherits(sql`m`, sql`r`)}),
      place (oid, schema, tenant, own) as (
        select n.oid, n.nspname::text, h.tenant, o.oid from home h join pg_namespace n on n.nspname = h.schema left join pg_roles o on o.rolname = h.role),
      granted as (
        select p.*, 'SCHEMA' as kind, p.schema as object, n.nspowner as owner, x.grantee, x.privilege_type
          from place p join pg_namespace n on n.oid = p.oid cross join aclexplode(n.nspacl) x
        union all select p.*, case c.relkind when 'S' then 'SEQUENCE' else 'TABLE' end, c.relname::text, c.relowner, x.grantee, x.privilege_type
          from pg_class c join place p on p.oid = c.relnamespace cross join aclexplode(c.relacl) x where c.relacl is not null
        union all select p.*, 'FUNCTION', f.oid::regprocedure::text, f.proowner, x.grantee, x.privilege_type
          from pg_proc f join place p on p.oid = f.pronamespace cross join aclexplode(f.proacl) x where f.proacl is not null)
      select g.schema, g.tenant, pg_get_userbyid(h.role)::text as role, pg_get_userbyid(g.grantee)::text as grantee, g.kind,
             array_agg(distinct g.object) as objects, array_agg(distinct g.privilege_type) as privileges
        from granted g join holds h on h.oid = g.grantee
       where g.grantee not in (0, g.owner) and h.role is distinct from g.own and g.grantee is distinct from g.own
       group by 1, 2, 3, 4, 5 order by 1, 3, 5`);
    return rights.map(({ schema, tenant, role, grantee, kind, objects, privileges }) => {
      const what = kind === 'SCHEMA' ? `schema ${schema}` : `${someOf(objects)} in schema ${schema}`;
      const by = role === grantee ? '' : ` as a member of ${grantee}`;
      return foundIn(
        context,
        this.rule,
        `${schema}, ${kind.toLowerCase()} rights of ${role}`,
        `role ${role} has ${privileges.join(', ')} on ${what} of tenant ${tenant}${by}, whose own role it is not`,
        {
          sql: objects.map(
            (object) =>
              sql`revoke all on ${raw(kind.toLowerCase())} ${named(kind, schema, object)} from ${ident(grantee)}`,
          ),
          facts: { tenant, role, grantee, objects, privileges },
        },
      );
    });
  },
};

function named(kind: string, schema: string, object: string) {
  if (kind === 'SCHEMA') return ident(schema);
  return kind === 'FUNCTION' ? raw(object) : ident(schema, object);
}
