import type { Connection } from '../../pg/connection.js';
import { type Sql, sql } from '../../pg/sql.js';

/** A hook that a tenant is still owed. */
export interface OwedHook {
  ordinal: number;
  command: string;
}

/** The statement that notes which hooks a tenant is owed; those it had already are left alone. */
export function hooksInsert(tenant: string, hook: string, commands: readonly string[]): Sql {
  return sql`
    insert into tenantctl_catalog.hook_deliveries (tenant, hook, ordinal, command)
    select ${tenant}, ${hook}, ordinal, command from unnest(${commands}::text[]) with ordinality as h (command, ordinal)
    on conflict do nothing`;
}

export async function owedHooks(connection: Connection, tenant: string, hook: string): Promise<OwedHook[]> {
  return connection.rows<OwedHook>(sql`
    select ordinal, command from tenantctl_catalog.hook_deliveries
     where tenant = ${tenant} and hook = ${hook} and delivered_at is null order by ordinal`);
}

/** Writes how a hook went; without a failure it is not run again. */
export async function recordDelivery(
  connection: Connection,
  tenant: string,
  hook: string,
  ordinal: number,
  failure: string | null,
): Promise<void> {
  await connection.execute(sql`
    update tenantctl_catalog.hook_deliveries
       set attempts = attempts + 1, failure = ${failure}, delivered_at = case when ${failure}::text is null then now() end
     where tenant = ${tenant} and hook = ${hook} and ordinal = ${ordinal}`);
}
