import { conflictError } from '../../core/errors.js';
import type { Connection } from '../../pg/connection.js';
import { sql } from '../../pg/sql.js';

/** A tenant that was deleted. */
interface Tombstone {
  id: string;
  deletedAt: string;
}

/**
 * Makes sure that an id was not a deleted tenant's: whatever still knows it from then must not find somebody else there.
 * @throws conflict `TENANT_DELETED` (exit 5)
 */
export async function assertNotDeleted(connection: Connection, id: string): Promise<void> {
  const tombstone = await connection.row<Tombstone>(sql`
    select id, to_char(deleted_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as "deletedAt"
      from tenantctl_catalog.tenants where id = ${id} and status = 'deleted'`);
  if (tombstone === undefined) return;
  const { deletedAt } = tombstone;
  throw conflictError(
    'TENANT_DELETED',
    `Tenant ${id} was deleted at ${deletedAt}; its id is never used again.`,
    {
      hint: `\`tenantctl certificate ${id}\` shows what was deleted, and what may still hold its data. For a new tenant choose another id.`,
      facts: { tenant: id, deletedAt },
    },
  );
}
