import type { TenancySettings } from '../../core/settings.js';
import type { Connection } from '../../pg/connection.js';
import { sql } from '../../pg/sql.js';

/** What this tool's policies ask for in a pool: the session's tenant, who lives here, and the administrator's scope. */
export interface Conditions {
  fleet: string;
  /** By the type of the tenant column. */
  tenant: ReadonlyMap<string, string>;
}

/** Reads them for every type that the tenant column has in a schema. */
export async function readConditions(
  session: Connection,
  { column, setting }: TenancySettings,
  schema: string,
): Promise<Conditions> {
  const rows = await session.rows<{ type: string; tenant: string; fleet: string }>(sql`
    select t.type, tenantctl.tenant_condition(${column}, t.type, ${setting}, ${schema}) as tenant, tenantctl.fleet_condition() as fleet
      from (select distinct format_type(a.atttypid, a.atttypmod) as type from pg_class c join pg_namespace n on n.oid = c.relnamespace
        join pg_attribute a on a.attrelid = c.oid and a.attname = ${column} and not a.attisdropped
       where n.nspname = ${schema} and c.relkind in ('r', 'p')) t`);
  return {
    fleet: rows[0]?.fleet ?? 'false',
    tenant: new Map(rows.map(({ type, tenant }) => [type, tenant])),
  };
}
