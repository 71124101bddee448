import type { Tier } from '../../core/tier.js';
import { databaseDriver } from './database.js';
import type { TierDriver } from './driver.js';
import { poolDriver } from './pool.js';
import { schemaDriver } from './schema.js';

const DRIVERS: Record<Tier, TierDriver> = {
  pool: poolDriver,
  schema: schemaDriver,
  database: databaseDriver,
};

/** The driver of a tier. */
export function driverOf(tier: Tier): TierDriver {
  return DRIVERS[tier];
}
