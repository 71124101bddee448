import { refusedError } from '../../core/errors.js';
import type { TenancySettings } from '../../core/settings.js';
import type { Connection } from '../../pg/connection.js';
import { sqlstateOf } from '../../pg/errors.js';
import { mayBecome } from '../../pg/roles.js';
import { type Sql, ident, sql } from '../../pg/sql.js';
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
  return inDatabaseOf(fleet, home, (session) =>
    explained(session, home, () => session.transaction(() => work(session), begin)),
  );
}

/**
 * `TierDriver.admit`, the same in every tier: the home opens and is prepared in one transaction.
 * @param opening further statements that open it, where the placement's state does not suffice
 */
export function admitHome(
  fleet: Fleet,
  home: Home,
  prepare: ((session: Connection) => Promise<void>) | undefined,
  opening: (session: Connection) => Sql[] = () => [],
): Promise<void> {
  return inDatabaseOf(fleet, home, async (session) => {
    const open = [...opening(session), admissionUpdate(home, 'active')];
    if (prepare === undefined) {
      await session.atomically(open);
      return;
    }
    const begin = beginWith(...open, becomeTenant(home, fleet.settings.tenancy));
    await explained(session, home, () => session.transaction(() => prepare(session), begin));
  });
}

/** Rights are lacking; there is no such role. */
const SAID: ReadonlySet<string> = new Set(['42501', '22023']);

/**
 * Says so where work as a tenant failed because the administrator may not act as the tenant's role: one that was there before
 * us may be the application's login.
 */
async function explained<T>(session: Connection, home: Home, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!session.usable || !SAID.has(sqlstateOf(error) ?? '')) throw error;
    const answer = await mayBecome(session, home.placement.role);
    throw answer === 'yes' ? error : roleNotAssumable(session, home, answer, error);
  }
}

function roleNotAssumable(
  { user }: Connection,
  { tenant, placement }: Home,
  answer: 'no' | 'gone',
  cause: unknown,
) {
  const { role, database, cluster } = placement;
  return refusedError(
    'ROLE_NOT_ASSUMABLE',
    answer === 'gone'
      ? `Tenant ${tenant.id} is served as role ${role}, which is not there.`
      : `Tenant ${tenant.id} is served as role ${role}, and ${user} is no member of it: nothing can be done there as the tenant.`,
    {
      hint:
        answer === 'gone'
          ? 'A role that was renamed keeps its rights: give it its name back.'
          : `Whoever may do so runs: GRANT ${ident(role).text()} TO ${ident(user).text()};`,
      facts: { tenant: tenant.id, role, administrator: user, database, cluster },
      cause,
    },
  );
}

function setLocal(settings: [string, string][]): Sql {
  const names = settings.map(([name]) => name);
  const values = settings.map(([, value]) => value);
  return sql`select set_config(name, value, true)
    from unnest(${names}::text[], ${values}::text[]) with ordinality as s (name, value, n) order by n`;
}
