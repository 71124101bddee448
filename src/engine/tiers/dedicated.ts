import type { MigrationUnit } from '../../core/unit.js';

/** What is the same in every dedicated database, so that a template can be copied as it is. */
export const SELF = { schema: 'app', ledgerKey: 'self' } as const;

/** The unit of a dedicated database. */
export function dedicatedUnit(tenant: string, place: { cluster: string; database: string }): MigrationUnit {
  return {
    id: `database:${tenant}`,
    tier: 'database',
    shared: false,
    cluster: place.cluster,
    database: place.database,
    schema: SELF.schema,
    ledgerKey: SELF.ledgerKey,
    tenants: [tenant],
    tenantCount: 1,
  };
}
