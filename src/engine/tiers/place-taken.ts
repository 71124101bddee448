import { conflictError } from '../../core/errors.js';
import type { Home } from '../local/placements.js';

/** Something stands where the home should be. What this tool did not make it never takes over. */
export function placeTaken(home: Home, what: string) {
  const { cluster, database } = home.placement;
  return conflictError(
    'PLACE_TAKEN',
    `${what} is already in database ${database} of cluster ${cluster}, and tenantctl did not make it for tenant ${home.tenant.id}.`,
    {
      hint: 'Nothing was changed. Rename or remove it, or choose another id.',
      facts: { tenant: home.tenant.id, cluster, database, found: what },
    },
  );
}

/** A role of the tenant's name is there, with rights that nobody here knows. */
export function roleTaken(home: Home) {
  return conflictError(
    'PLACE_TAKEN',
    `Role ${home.placement.role} is there, but tenantctl did not make it for tenant ${home.tenant.id}.`,
    {
      hint: 'Rename that role, or choose another name pattern under tenancy.names.',
      facts: { tenant: home.tenant.id, role: home.placement.role, cluster: home.placement.cluster },
    },
  );
}
