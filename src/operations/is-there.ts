import type { Fleet } from '../engine/context.js';
import { databaseExists } from '../engine/tiers/managed-database.js';

/** Is there a database of this name still? Where nobody can say, it is taken to be there. */
export async function isThere(fleet: Fleet, cluster: string, database: string): Promise<boolean> {
  const connections = fleet.connections(cluster);
  return connections
    .use(connections.maintenanceDatabase, (session) => databaseExists(session, database))
    .catch(() => true);
}
