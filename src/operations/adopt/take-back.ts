import type { Fleet } from '../../engine/context.js';
import { adoptedDelete } from '../../engine/local/adopted.js';
import { sql } from '../../pg/sql.js';
import type { TakenTenant } from './write-catalog.js';

/**
 * Takes tenants that the catalog has refused out of the local state of their home again, and what was written of a unit in which
 * nobody else lives.
 * @param tenants of one database
 */
export async function takeBackHomes(fleet: Fleet, tenants: readonly TakenTenant[]): Promise<void> {
  for (const { taking, tenant } of tenants) {
    const { cluster, database, schema } = taking.placement;
    const { ledgerKey } = taking.standing.listed.unit;
    await fleet.managed(cluster, database, (connection) =>
      connection.transaction(async () => {
        await connection.execute(
          sql`delete from tenantctl.placement where tenant = ${tenant.id} and schema = ${schema}`,
        );
        const inhabited = await connection.row(
          sql`select from tenantctl.placement where unit = ${ledgerKey} limit 1`,
        );
        if (inhabited !== undefined || taking.adoption === null) return;
        await connection.execute(adoptedDelete(ledgerKey));
        await connection.execute(
          sql`delete from tenantctl.ledger where unit = ${ledgerKey} and tool like 'adopted %'`,
        );
      }),
    );
  }
}
