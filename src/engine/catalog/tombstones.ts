import { conflictError } from '../../core/errors.js';
import { raw } from '../../pg/sql.js';

/** When a tenant of the table `t` was deleted, as text. */
export const DELETED_AT = raw(`to_char(t.deleted_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')`);

/** The id of a tenant that was deleted is asked for. */
export function tenantDeleted(id: string, deletedAt: string) {
  return conflictError(
    'TENANT_DELETED',
    `Tenant ${id} was deleted at ${deletedAt}; its id is never used again.`,
    {
      hint: `\`tenantctl certificate ${id}\` shows what was deleted, and what may still hold its data. For a new tenant choose another id.`,
      facts: { tenant: id, deletedAt },
    },
  );
}
