import type { RunPolicy } from '../../core/run-policy.js';
import type { Fleet } from '../context.js';
import type { LaneCaps } from './plan.js';

/** How many connections a run may use, as the configuration says now. */
export function capsOf(fleet: Fleet, policy: RunPolicy): LaneCaps {
  return {
    concurrency: policy.concurrency,
    cluster: (name) => fleet.cluster(name).maxConnections,
    database: (cluster) => fleet.cluster(cluster).maxPerDatabase,
  };
}
