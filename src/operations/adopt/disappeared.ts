import { groupBy } from '../../core/group-by.js';
import { isTenantctlError } from '../../core/errors.js';
import type { KnownUnit } from '../../engine/catalog/adopted-units.js';
import type { Fleet } from '../../engine/context.js';
import type { Connection } from '../../pg/connection.js';
import { isDatabaseError } from '../../pg/errors.js';
import { sql } from '../../pg/sql.js';

/** Units that were adopted at some time and are not there any more. What cannot be reached is not called gone. */
export async function disappearedOf(fleet: Fleet, adopted: readonly KnownUnit[]): Promise<string[]> {
  const gone: string[] = [];
  for (const [cluster, units] of groupBy(adopted, (unit) => unit.cluster))
    gone.push(...(await goneFrom(fleet, cluster, units).catch(unlessReached)));
  return gone.sort();
}

async function goneFrom(fleet: Fleet, cluster: string, units: readonly KnownUnit[]): Promise<string[]> {
  const connections = fleet.connections(cluster);
  const byDatabase = groupBy(units, ({ database }) => database);
  const databases = await connections.use(connections.maintenanceDatabase, (session) =>
    listDatabases(session),
  );
  const gone: string[] = [];
  for (const [database, its] of byDatabase) {
    const schemas = databases.has(database)
      ? await connections.use(database, (session) => listSchemas(session)).catch(unlessReached)
      : [];
    if (schemas.length === 0 && databases.has(database)) continue;
    gone.push(...its.filter(({ schema }) => !schemas.includes(schema)).map(({ id }) => id));
  }
  return gone;
}

async function listDatabases(connection: Connection): Promise<Set<string>> {
  const rows = await connection.rows<{ name: string }>(sql`select datname as name from pg_database`);
  return new Set(rows.map(({ name }) => name));
}

async function listSchemas(connection: Connection): Promise<string[]> {
  const rows = await connection.rows<{ name: string }>(sql`select nspname as name from pg_namespace`);
  return rows.map(({ name }) => name);
}

function unlessReached(error: unknown): string[] {
  if (isTenantctlError(error) || isDatabaseError(error)) return [];
  throw error;
}
