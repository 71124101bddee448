import type { Tier } from '../../../core/tier.js';
import type { AdoptRequest } from '../request.js';

type ListedHome = Pick<AdoptRequest, 'tier' | 'cluster' | 'database' | 'schema' | 'key'>;

/** What two tenants of a tier cannot both have: those of a pool share all but the key. */
const HOME: Record<Tier, (home: ListedHome) => (string | null)[]> = {
  pool: ({ cluster, database, schema, key }) => [cluster, database, schema, key],
  schema: ({ cluster, database, schema }) => [cluster, database, schema],
  database: ({ cluster, database }) => [cluster, database],
};

/** A text that is equal for two tenants that would be one. */
export function homeOf(home: ListedHome): string {
  return JSON.stringify([home.tier, ...HOME[home.tier](home)]);
}
