import { fleetAndTime } from '../../engine/audit/checkpoints.js';
import type { Fleet } from '../../engine/context.js';

/** The time by the catalog's server, the only clock that decides: ISO 8601 in UTC. */
export async function catalogTime(fleet: Fleet): Promise<string> {
  return (await fleet.catalog(fleetAndTime)).at;
}
