import type { Connection } from '../../pg/connection.js';
import { sql } from '../../pg/sql.js';

/** A tenant as the local state of a database knows it. */
export interface LocalTenant {
  tenant: string;
  key: string;
  unit: string;
  schema: string;
}

/** The tenants that live, or are about to be taken in, in this database. */
export async function readLocalTenants(connection: Connection): Promise<Map<string, LocalTenant>> {
  const rows = await connection.rows<LocalTenant>(
    sql`select tenant, key, unit, schema from tenantctl.placement where state <> 'moved' order by tenant`,
  );
  return new Map(rows.map((row) => [row.tenant, row]));
}
