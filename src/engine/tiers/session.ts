import type { TenancySettings } from '../../core/settings.js';
import type { Connection } from '../../pg/connection.js';
import { type Sql, sql } from '../../pg/sql.js';
import type { Fleet } from '../context.js';
import { type Home, admissionUpdate } from '../local/placements.js';
import { sessionSettings } from '../local/session-settings.js';

/** Takes the tenant's role and settings for the rest of the transaction. The role comes last: it may set less. */
function becomeTenant(home: Home, tenancy: TenancySettings): Sql {
  return setLocal(Object.entries({ ...sessionSettings(home, tenancy), role: home.placement.role }));
}

/** A transaction that begins with these statements, all in one round trip. */
function beginWith(...statements: Sql[]): string {
  return ['begin', ...statements.map((statement) => statement.text())].join('; ');
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
  const begin = beginWith(becomeTenant(home, fleet.settings.tenancy));
  return inDatabaseOf(fleet, home, (session) => session.transaction(() => work(session), begin));
}

/**
 * `TierDriver.admit`, the same in every tier: the home opens and is prepared in one transaction.
 * @param opening further statements that open it, where the placement's state does not suffice
 */
export function admitHome(
  fleet: Fleet,
  home: Home,
  prepare: (session: Connection) => Promise<void>,
  opening: (session: Connection) => Sql[] = () => [],
): Promise<void> {
  return inDatabaseOf(fleet, home, (session) => {
    const begin = beginWith(
      ...opening(session),
      admissionUpdate(home, 'active'),
      becomeTenant(home, fleet.settings.tenancy),
    );
    return session.transaction(() => prepare(session), begin);
  });
}

function setLocal(settings: [string, string][]): Sql {
  const names = settings.map(([name]) => name);
  const values = settings.map(([, value]) => value);
  return sql`select set_config(name, value, true)
    from unnest(${names}::text[], ${values}::text[]) with ordinality as s (name, value, n) order by n`;
}
