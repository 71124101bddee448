import type { Adoption } from './adoption.js';
import type { Tier } from './tier.js';

/** What migrates together: a whole pool, one tenant schema, one tenant database. */
export interface MigrationUnit {
  /** `pool:<pool>`, `schema:<tenant>` or `database:<tenant>`: unique in the fleet. */
  id: string;
  tier: Tier;
  /** Do tenants share it, so that its tables hold rows of several? */
  shared: boolean;
  cluster: string;
  database: string;
  schema: string;
  /**
   * Its name in that database's ledger. A dedicated database calls itself `self`,
   * so that the ledger rows of a template copy true.
   */
  ledgerKey: string;
  /** Ids of the tenants in it; empty for a pool, whose tenants are counted instead. */
  tenants: string[];
  tenantCount: number;
  /** Where another tool had made it. */
  adopted?: Adoption | null;
}

/** The newest migration that a unit has; null before the first. */
export interface UnitVersion {
  id: number;
  name: string;
}

/** A key that the units of one database have in common. */
export function databaseKey({ cluster, database }: Pick<MigrationUnit, 'cluster' | 'database'>): string {
  return `${cluster}\n${database}`;
}
