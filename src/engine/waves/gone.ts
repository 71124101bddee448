import { isOldHome } from '../catalog/holds.js';
import { hasTenant } from '../catalog/units.js';
import type { Fleet } from '../context.js';
import { NO_SUCH_DATABASE } from '../../pg/errors.js';
import { sql } from '../../pg/sql.js';
import type { SurveyedUnit } from './survey.js';

export const NO_SUCH_SCHEMA = '3F000';

/** Why a unit that the catalog does not know any more is left out. */
export function whyUnknown(unit: string): string {
  return isOldHome(unit)
    ? 'its move was completed or undone meanwhile'
    : 'its tenant was deleted or has moved meanwhile';
}

/**
 * Why a unit that failed with this SQLSTATE is not there any more; null when it is there, or when nobody
 * can tell. One that this run never saw on its server is not gone: the configuration may name another server.
 */
export async function whyGone(
  fleet: Fleet,
  { unit, ledger, fault }: SurveyedUnit,
  sqlstate: string | null,
): Promise<string | null> {
  if (sqlstate !== NO_SUCH_SCHEMA && sqlstate !== NO_SUCH_DATABASE) return null;
  const inhabited = await fleet
    .catalog((connection) => hasTenant(connection, unit.id))
    // A catalog that is away for a moment says nothing about the unit.
    .catch(() => true);
  if (!inhabited) return whyUnknown(unit.id);
  if (fault !== null || ledger.length === 0) return null;
  const place = sqlstate === NO_SUCH_SCHEMA ? `schema ${unit.schema}` : `database ${unit.database}`;
  const there = sqlstate === NO_SUCH_SCHEMA ? schemaIsThere : databaseIsThere;
  if (await there(fleet, unit).catch(() => true)) return null;
  if (isOldHome(unit.id)) return whyUnknown(unit.id);
  return `its ${place} was dropped meanwhile, though the catalog still has a tenant there`;
}

function schemaIsThere(fleet: Fleet, { cluster, database, schema }: SurveyedUnit['unit']): Promise<boolean> {
  return fleet.managed(cluster, database, async (connection) => {
    const row = await connection.row(sql`select from pg_namespace where nspname = ${schema}`);
    return row !== undefined;
  });
}

function databaseIsThere(fleet: Fleet, { cluster, database }: SurveyedUnit['unit']): Promise<boolean> {
  const connections = fleet.connections(cluster);
  return connections.use(connections.maintenanceDatabase, async (connection) => {
    const row = await connection.row(sql`select from pg_database where datname = ${database}`);
    return row !== undefined;
  });
}
