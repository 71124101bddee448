import { conflictError } from '../../core/errors.js';
import type { Admission, Home } from '../local/placements.js';
import type { HomeState } from './driver.js';

/**
 * Whether a home is to be made (undefined) or there already.
 * @returns how the home that is there answers
 * @throws conflict `PLACE_TAKEN` or `PLACE_HELD` (exit 5)
 */
export function admissionIfOurs(home: Home, found: HomeState): Admission | undefined {
  if (found.state === 'absent') return undefined;
  if (found.state === 'foreign') throw placeTaken(home, found.what);
  if (found.key === home.tenant.key) return found.admission;
  const { database, cluster } = home.placement;
  throw conflictError(
    'PLACE_HELD',
    `Database ${database} of cluster ${cluster} already holds a tenant ${home.tenant.id} with another key, which the catalog does not know.`,
    {
      hint: `Nothing was changed. If it is the same tenant, name its key: --tenant-key ${found.key}`,
      facts: { tenant: home.tenant.id, cluster, database, key: found.key },
    },
  );
}

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

/** What stands in a database where a tenant of this id lives already. */
export function strayHome({ tenant }: Home, unit: string): string {
  return `local placement of ${tenant.id} in ${unit}`;
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
