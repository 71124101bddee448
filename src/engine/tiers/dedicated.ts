import type { MigrationUnit } from '../../core/unit.js';

/** What is the same in every dedicated database that we make, so that a template can be copied as it is. */
export const SELF = { schema: 'app', ledgerKey: 'self' } as const;

/** The unit of a dedicated database. In one that was there before us the tenant's schema has a name of its own. */
export function dedicatedUnit(
  tenant: string,
  place: { cluster: string; database: string; schema: string },
): MigrationUnit {
  return {
    id: `database:${tenant}`,
    tier: 'database',
    shared: false,
    cluster: place.cluster,
    database: place.database,
    schema: place.schema,
    ledgerKey: SELF.ledgerKey,
    tenants: [tenant],
    tenantCount: 1,
  };
}
