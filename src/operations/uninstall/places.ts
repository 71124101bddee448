import type { Fleet } from '../../engine/context.js';
import type { Connection } from '../../pg/connection.js';
import { raw } from '../../pg/sql.js';

/** The databases on each cluster that this tool may have put something into. */
export type Places = Map<string, string[]>;

/** Those that the catalog knows, and those that the configuration names. */
export async function placesOf(fleet: Fleet, catalog: Connection): Promise<Places> {
  const rows = await catalog.rows<{ cluster: string; database: string }>(
    raw(`
    select cluster, database from tenantctl_catalog.placements union select cluster, database from tenantctl_catalog.units
    union select cluster, database from tenantctl_catalog.pools`),
  );
  const configured = Object.values(fleet.settings.clusters).flatMap(({ name, schemaDatabase, pools }) =>
    [schemaDatabase, ...Object.values(pools).map(({ database }) => database)].map((database) => ({
      cluster: name,
      database,
    })),
  );
  const places: Places = new Map(Object.keys(fleet.settings.clusters).map((name) => [name, []]));
  for (const { cluster, database } of [...rows, ...configured]) {
    const known = places.get(cluster) ?? [];
    if (!known.includes(database)) places.set(cluster, [...known, database]);
  }
  return places;
}
