import type { TenancySettings } from '../../core/settings.js';
import type { Connection } from '../../pg/connection.js';
import { type Sql, sql } from '../../pg/sql.js';
import type { Fleet } from '../context.js';
import { type Home, admissionUpdate } from '../local/placements.js';
import { sessionSettings } from '../local/session-settings.js';

/** Takes the tenant's role and settings for the rest of the transaction. The role comes last: it may set less. */
async function becomeTenant(session: Connection, home: Home, tenancy: TenancySettings): Promise<void> {
  const settings = Object.entries({ ...sessionSettings(home, tenancy), role: home.placement.role });
  await session.rows(setLocal(settings));
}

/** Lends the administrator's connection to the database that a home is in. */
export function inDatabaseOf<T>(
  fleet: Fleet,
  home: Home,
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  return fleet.managed(home.placement.cluster, home.placement.database, work);
}

/** `TierDriver.open`, the same in every tier. */
export function openHome<T>(fleet: Fleet, home: Home, work: (session: Connection) => Promise<T>): Promise<T> {
  return inDatabaseOf(fleet, home, (session) =>
    session.transaction(async () => {
      await becomeTenant(session, home, fleet.settings.tenancy);
      return work(session);
    }),
  );
}

/** `TierDriver.admit`, the same in every tier: the home opens and is prepared in one transaction. */
export function admitHome(
  fleet: Fleet,
  home: Home,
  prepare: (session: Connection) => Promise<void>,
): Promise<void> {
  return inDatabaseOf(fleet, home, (session) =>
    session.transaction(async () => {
      await session.execute(admissionUpdate(home.tenant.id, 'active'));
      await becomeTenant(session, home, fleet.settings.tenancy);
      await prepare(session);
    }),
  );
}

function setLocal(settings: [string, string][]): Sql {
  const names = settings.map(([name]) => name);
  const values = settings.map(([, value]) => value);
  return sql`select set_config(name, value, true)
    from unnest(${names}::text[], ${values}::text[]) with ordinality as s (name, value, n) order by n`;
}
