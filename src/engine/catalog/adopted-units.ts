import type { Connection } from '../../pg/connection.js';
import { raw } from '../../pg/sql.js';

/** Where a unit is that the catalog knows. */
export interface KnownUnit {
  id: string;
  cluster: string;
  database: string;
  schema: string;
  /** Had another tool made it? */
  adopted: boolean;
}

/** Every unit that the catalog knows, and whether another tool had made it. */
export function readKnownUnits(connection: Connection): Promise<KnownUnit[]> {
  return connection.rows<KnownUnit>(
    raw(
      'select id, cluster, database, schema, adopted is not null as adopted from tenantctl_catalog.units order by id',
    ),
  );
}
