import type { TenancySettings } from '../../core/settings.js';
import type { Connection } from '../../pg/connection.js';
import { type Sql, sql } from '../../pg/sql.js';
import type { RuleContext } from './catalog-rule.js';

/** The schemas of the pools in this database. */
export function poolSchemas({ pools }: RuleContext): string[] {
  return [...new Set(pools.map(({ schema }) => schema))];
}

/**
 * Whether a table `c` of schema `n` is one of a pool that only observes: it is listed nowhere, nor is the table that it is a
 * partition of.
 */
export function isObserved({ pools }: Pick<RuleContext, 'pools'>): Sql {
  const observing = pools.filter(({ rules }) => rules.mode === 'observe');
  const schemas = observing.map(({ schema }) => schema);
  const enforced = observing.flatMap(({ schema, rules }) => rules.enforce.map((name) => `${schema}.${name}`));
  return sql`(n.nspname = any (${schemas}::text[]) and n.nspname || '.' ||
    (select w.relname from pg_class w where w.oid = coalesce(pg_partition_root(c.oid), c.oid)) <> all (${enforced}::text[]))`;
}

/**
 * Tables of pools that hold the tenant column, but for those that are only observed and have no row-level security: what
 * that means is told by rules of its own. Partitions and other children included: a query that gives oid,
 * schema, name, kind, owner, rls, forced, child, and of the column attnum, type, required and its default.
 */
export function tenantTables(context: RuleContext): Sql {
  return poolTables(context, sql`(c.relrowsecurity or not ${isObserved(context)})`);
}

/** The same of tables that are only observed. */
export function observedTables(context: RuleContext): Sql {
  return poolTables(context, isObserved(context));
}

function poolTables(context: RuleContext, condition: Sql): Sql {
  return sql`(select c.oid, n.nspname::text as schema, c.relname::text as name, c.relkind::text as kind, c.relowner as owner,
      c.relrowsecurity as rls, c.relforcerowsecurity as forced, c.relacl as acl,
      exists (select from pg_inherits i where i.inhrelid = c.oid) as child,
      a.attnum, a.atttypid, format_type(a.atttypid, a.atttypmod) as type, a.attnotnull as required,
      (select pg_get_expr(d.adbin, d.adrelid) from pg_attrdef d where d.adrelid = c.oid and d.adnum = a.attnum) as "default"
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    join pg_attribute a on a.attrelid = c.oid and a.attname = ${context.tenancy.column} and a.attnum > 0 and not a.attisdropped
   where n.nspname = any (${poolSchemas(context)}::text[]) and c.relkind in ('r', 'p') and ${condition})`;
}

/**
 * `with recursive application (oid, name)`: the role that applications act as, and whoever was made a member of it. The
 * administrator is one as well and none of them, nor who acts as the administrator.
 */
export function withApplication({ tenancy }: Pick<RuleContext, 'tenancy'>): Sql {
  return sql`with recursive application (oid, name) as (
      select oid, rolname::text from pg_roles where rolname = ${tenancy.appRole}
      union select r.oid, r.rolname::text from application a join pg_auth_members m on m.roleid = a.oid
        join pg_roles r on r.oid = m.member where r.rolname <> session_user and not r.rolsuper)`;
}

/**
 * Tables of tenants outside the schemas of the fleet, which the application may use: archives, copies, partitions that are
 * kept apart. Only after `withApplication`.
 * @param known the schemas of pools and tenants
 */
export function tablesElsewhere({ tenancy }: Pick<RuleContext, 'tenancy'>, known: readonly string[]): Sql {
  return sql`(select n.nspname::text as schema, c.relname::text as name, c.relrowsecurity as rls
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    join pg_attribute a on a.attrelid = c.oid and a.attname = ${tenancy.column} and a.attnum > 0 and not a.attisdropped
   where n.nspname <> all (${known}::text[]) and n.nspname not in ('tenantctl', 'tenantctl_catalog', 'pg_catalog', 'information_schema')
     and n.nspname !~ '^pg_(temp|toast)' and c.relkind in ('r', 'p')
     and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
     and exists (select from aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) x
       where x.privilege_type = 'USAGE' and ${reachesApplication(sql`x.grantee`)})
     and exists (select from (select * from aclexplode(c.relacl) union all
         select y.* from pg_attribute b, aclexplode(b.attacl) y where b.attrelid = c.oid and not b.attisdropped) x
       where x.privilege_type in ('SELECT', 'INSERT', 'UPDATE', 'DELETE') and x.grantee <> c.relowner and ${reachesApplication(sql`x.grantee`)}))`;
}

/** The names of the same. */
export async function readTablesElsewhere(
  session: Connection,
  tenancy: TenancySettings,
  known: readonly string[],
): Promise<string[]> {
  const context = { tenancy };
  const rows = await session.rows<{ name: string }>(sql`
    ${withApplication(context)} select schema || '.' || name as name from ${tablesElsewhere(context, known)} e order by 1`);
  return rows.map(({ name }) => name);
}

/** Is what was granted to this role (0 for PUBLIC) the application's? Only after `withApplication`. */
export function reachesApplication(grantee: Sql): Sql {
  return sql`(${grantee} = 0 or exists (select from application a where pg_has_role(a.oid, ${grantee}, 'USAGE')))`;
}

/** Who was granted something, as SQL names it. */
export function granteeName(grantee: Sql): Sql {
  return sql`case when ${grantee} = 0 then null else pg_get_userbyid(${grantee})::text end`;
}
