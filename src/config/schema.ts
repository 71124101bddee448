import * as z from 'zod';
import { backups, catalog, clusters, plans } from './schema-fleet.js';
import { hooks, moves, retention, signing } from './schema-lifecycle.js';
import { rollout } from './schema-rollout.js';
import { migrations, provision, tenancy } from './schema-tenancy.js';

/**
 * The whole configuration. Everything else about a setting (its environment variable, its line in
 * the reference, its place in the JSON Schema) is derived from here.
 */
export const configSchema = z.strictObject({
  catalog,
  clusters,
  migrations,
  tenancy,
  plans,
  provision,
  rollout,
  moves,
  retention,
  backups,
  hooks,
  signing,
});

/** Checked values: durations in milliseconds, sizes in bytes, times of day in minutes, percentages as numbers. */
export type ConfigValues = z.output<typeof configSchema>;
