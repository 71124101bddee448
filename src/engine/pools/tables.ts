import type { Connection } from '../../pg/connection.js';
import { sql } from '../../pg/sql.js';

/** A table of a pool, and what of the rules of row-level security it has. */
export interface PoolTable {
  oid: number;
  name: string;
  owner: string;
  /** The name by which it is listed: that of the table which it is a partition of. */
  listed: string;
  /** Has it the tenant column, and must that hold a value? */
  tenanted: boolean;
  required: boolean;
  rls: boolean;
  forced: boolean;
  /** Policies of ours that hold tenants apart, the one for the administrator, and policies of the user's. */
  tenant: boolean;
  guard: boolean;
  fleet: boolean;
  users: boolean;
}

/** Every table of a pool's schema, partitions among them, by name. */
export function readPoolTables(connection: Connection, schema: string, column: string): Promise<PoolTable[]> {
  const policy = (name: string) =>
    sql`exists (select from pg_policy p where p.polrelid = c.oid and p.polname = ${name})`;
  return connection.rows<PoolTable>(sql`
    select c.oid, c.relname::text as name, pg_get_userbyid(c.relowner)::text as owner, tenantctl.listed_name(c.oid)::text as listed,
           a.attnum is not null as tenanted, coalesce(a.attnotnull, false) as required,
           c.relrowsecurity as rls, c.relforcerowsecurity as forced,
           ${policy('tenantctl_tenant')} as tenant, ${policy('tenantctl_guard')} as guard, ${policy('tenantctl_fleet')} as fleet,
           exists (select from pg_policy p where p.polrelid = c.oid and p.polname !~ '^tenantctl_(tenant|guard|fleet|rescan)$') as users
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
      left join pg_attribute a on a.attrelid = c.oid and a.attname = ${column} and a.attnum > 0 and not a.attisdropped
     where n.nspname = ${schema} and c.relkind in ('r', 'p') order by c.relispartition, c.relname`);
}

/** What an enforced table lacks, in words. */
export function lacksOf(table: PoolTable, column: string): string[] {
  const held = table.tenant || (table.users && table.guard);
  return [
    ...(table.rls ? [] : ['row-level security is not enabled']),
    ...(table.forced ? [] : ['row-level security is not forced on the owner']),
    ...(held ? [] : ['no policy holds it to the tenant']),
    ...(table.fleet ? [] : ['no policy lets the administrator see all of it']),
    ...(table.required ? [] : [`column ${column} may be NULL`]),
  ];
}

/** Does a policy of ours hold tenants apart in it? */
export function isHeldByUs({ tenant, guard }: PoolTable): boolean {
  return tenant || guard;
}
