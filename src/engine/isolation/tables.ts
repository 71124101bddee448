import { type Sql, sql } from '../../pg/sql.js';
import type { RuleContext } from './catalog-rule.js';

/** The schemas of the pools in this database. */
export function poolSchemas({ pools }: RuleContext): string[] {
  return [...new Set(pools.map(({ schema }) => schema))];
}

/**
 * Tables of pools that hold the tenant column, partitions and other children included: a query that gives oid,
 * schema, name, kind, owner, rls, forced, child, and of the column attnum, type, required and its default.
 */
export function tenantTables(context: RuleContext): Sql {
  return sql`(select c.oid, n.nspname::text as schema, c.relname::text as name, c.relkind::text as kind, c.relowner as owner,
      c.relrowsecurity as rls, c.relforcerowsecurity as forced, c.relacl as acl,
      exists (select from pg_inherits i where i.inhrelid = c.oid) as child,
      a.attnum, a.atttypid, format_type(a.atttypid, a.atttypmod) as type, a.attnotnull as required,
      (select pg_get_expr(d.adbin, d.adrelid) from pg_attrdef d where d.adrelid = c.oid and d.adnum = a.attnum) as "default"
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    join pg_attribute a on a.attrelid = c.oid and a.attname = ${context.tenancy.column} and a.attnum > 0 and not a.attisdropped
   where n.nspname = any (${poolSchemas(context)}::text[]) and c.relkind in ('r', 'p'))`;
}

/**
 * `with recursive application (oid, name)`: the role that applications act as, and whoever was made a member of it. The
 * administrator is one as well and none of them, nor who acts as the administrator.
 */
export function withApplication({ tenancy }: RuleContext): Sql {
  return sql`with recursive application (oid, name) as (
      select oid, rolname::text from pg_roles where rolname = ${tenancy.appRole}
      union select r.oid, r.rolname::text from application a join pg_auth_members m on m.roleid = a.oid
        join pg_roles r on r.oid = m.member where r.rolname <> session_user and not r.rolsuper)`;
}

/** Is what was granted to this role (0 for PUBLIC) the application's? Only after `withApplication`. */
export function reachesApplication(grantee: Sql): Sql {
  return sql`(${grantee} = 0 or exists (select from application a where pg_has_role(a.oid, ${grantee}, 'USAGE')))`;
}

/** Who was granted something, as SQL names it. */
export function granteeName(grantee: Sql): Sql {
  return sql`case when ${grantee} = 0 then null else pg_get_userbyid(${grantee})::text end`;
}
