import { type Sql, sql } from '../../pg/sql.js';
import type { OwnHome, RuleContext } from './catalog-rule.js';

/** Oid of the superuser that a cluster is born with. */
const FIRST_ROLE = 10;

/**
 * `with recursive acting (oid)`: what applications act as. The role for pools, the roles of tenants, and the logins that were
 * made members of them; the administrator is none of these, nor is the first superuser.
 */
export function actingRoles({ tenancy, homes }: RuleContext): Sql {
  return sql`with recursive acting (oid) as (
      select oid from pg_roles where rolname = any (${[tenancy.appRole, ...homes.map(({ role }) => role)]}::text[])
      union select m.member from acting a join pg_auth_members m on m.roleid = a.oid
        join pg_roles r on r.oid = m.member where r.rolname <> session_user and r.oid <> ${FIRST_ROLE}::oid)`;
}

/** `with recursive home (tenant, schema, role, dedicated, database)`: the homes of tenants' own, as rows. */
export function withHomes({ homes }: RuleContext): Sql {
  const column = <Name extends keyof OwnHome>(name: Name) => homes.map((home) => home[name]);
  return sql`with recursive home (tenant, schema, role, dedicated, database) as (
    select * from unnest(${column('tenant')}::text[], ${column('schema')}::text[], ${column('role')}::text[],
      ${column('dedicated')}::boolean[], ${column('database')}::text[]))`;
}

/** Since 16 each membership says whether its rights are inherited; before, the member's attribute did. */
export function inherits(membership: Sql, member: Sql): Sql {
  return sql`coalesce((to_jsonb(${membership}) ->> 'inherit_option')::boolean, ${member}.rolinherit)`;
}

/** The names of roles, in the order of their oids in a list. */
export function namesOf(oids: Sql): Sql {
  return sql`array(select pg_get_userbyid(u.oid)::text from unnest(${oids}) with ordinality u (oid, n) order by u.n)`;
}
