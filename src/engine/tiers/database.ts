import { createHash } from 'node:crypto';
import type { ClusterSettings, PoolSettings, TenancySettings } from '../../core/settings.js';
import type { Placement } from '../../core/tier.js';
import type { MigrationUnit } from '../../core/unit.js';
import type { Connection } from '../../pg/connection.js';
import { sqlstateOf } from '../../pg/errors.js';
import { withLockRetry } from '../../pg/retry.js';
import { type Sql, ident, raw, sql } from '../../pg/sql.js';
import type { Fleet } from '../context.js';
import type { Migration } from '../ledger/migration.js';
import {
  type Admission,
  type FencedStatus,
  type Home,
  admissionUpdate,
  hasLocalState,
  placementInsert,
  readPlacement,
  placementUpdate,
} from '../local/placements.js';
import { SELF, dedicatedUnit } from './dedicated.js';
import type { HomeState, Relation, TierDriver } from './driver.js';
import { fillHome } from './fill.js';
import { closeToPublic, databaseExists } from './managed-database.js';
import { admissionIfOurs, placeTaken } from './place-taken.js';
import { readRelations } from './relations.js';
import { adoptedDoors, tellWhatStaysOpen } from './adopted-doors.js';
import { asRole, ownerOfDatabase } from './owners.js';
import {
  doorStatements,
  dropTenantRole,
  endSessionsOf,
  ensureAppRole,
  grantSchema,
  inspectTenantRole,
  isOurRole,
  leavingStatements,
  limitRole,
  sharesRole,
  tellUnlimited,
  tenantRoleStatements,
  timeoutClause,
} from './roles.js';
import { admitHome, inDatabaseOf, openHome } from './session.js';
import { STILL_IN_USE, dropDatabase, ensureTemplate, renameDatabase } from './template.js';

const COPY_ATTEMPTS = 8;

/** A database of the tenant's own, copied from a template that holds every migration. */
export const databaseDriver: TierDriver = {
  tier: 'database',
  facts: { sharesUnit: false, drops: 'database' },

  place(
    id: string,
    cluster: ClusterSettings,
    _pool: PoolSettings | null,
    tenancy: TenancySettings,
  ): Placement {
    const database = tenancy.names.database.replace('{id}', id);
    return {
      tier: 'database',
      cluster: cluster.name,
      database,
      schema: SELF.schema,
      pool: null,
      role: database,
    };
  },

  unit(id: string, placement: Placement): MigrationUnit {
    return dedicatedUnit(id, placement);
  },

  async inspect(fleet: Fleet, home: Home): Promise<HomeState> {
    const absent = await onCluster(fleet, home, async (connection): Promise<HomeState | undefined> => {
      if (await databaseExists(connection, home.placement.database)) return undefined;
      return { state: 'absent', role: await inspectTenantRole(connection, home) };
    });
    return absent ?? inspectInside(fleet, home);
  },

  async create(fleet, home, migrations, { seen, until } = {}): Promise<Admission> {
    await until;
    const found = admissionIfOurs(home, seen ?? (await databaseDriver.inspect(fleet, home)));
    if (found === undefined) await makeFromTemplate(fleet, home, migrations);
    fleet.reach('provision.created');
    // The copy has every migration of its template; one made before a crash may be older.
    await inDatabaseOf(fleet, home, (connection) =>
      fillHome(fleet, connection, dedicatedUnit(home.tenant.id, home.placement), migrations),
    );
    return found ?? 'making';
  },

  open: openHome,

  admit: (fleet, home, prepare) =>
    admitHome(fleet, home, prepare, (connection) => doors(fleet, connection, home, 'open')),

  relations(fleet: Fleet, home: Home): Promise<Relation[]> {
    return inDatabaseOf(fleet, home, async (connection) => {
      const relations = await readRelations(connection, home.placement.schema, fleet.settings.tenancy.column);
      return relations.map((relation) => ({ ...relation, tenantColumn: null }));
    });
  },

  async fence(fleet: Fleet, home: Home, status: FencedStatus): Promise<void> {
    const open = status === 'active';
    // A plan's limit binds the administrator too: a busy tenant could not be entered to be closed.
    if (!open) await onCluster(fleet, home, (connection) => liftLimit(connection, home));
    await inDatabaseOf(fleet, home, async (connection) => {
      const theirs = await adoptedDoors(connection, home, doorsOf(open ? 'open' : 'closed'));
      await connection.atomically([
        ...(theirs ?? doors(fleet, connection, home, open ? 'open' : 'closed')),
        ...(open && theirs === null ? limitDatabase(home.placement.database, home) : []),
        admissionUpdate(home, status),
      ]);
      if (open) return;
      if (theirs === null) await endSessionsOf(connection, home.placement.role);
      else await tellWhatStaysOpen(fleet, connection, home, true);
      await endSessionsHere(connection);
    });
  },

  async leaving(fleet: Fleet, connection: Connection, home: Home, next: Placement): Promise<Sql[]> {
    const { tenancy } = fleet.settings;
    const { placement } = home;
    const theirs = await adoptedDoors(connection, home, doorsOf('closed'));
    if (theirs !== null) return theirs;
    return [
      sql`revoke connect on database ${ident(placement.database)} from ${ident(placement.role)}, ${ident(tenancy.appRole)}`,
      ...leavingStatements(placement, placement.schema, next, tenancy),
    ];
  },

  async vacate(fleet: Fleet, home: Home, next: Placement): Promise<void> {
    await onCluster(fleet, home, (connection) => liftLimit(connection, home));
    await inDatabaseOf(fleet, home, async (connection) => {
      if (!sharesRole(home.placement, next) && (await isOurRole(connection, home)))
        await endSessionsOf(connection, home.placement.role);
      await endSessionsHere(connection);
    });
  },

  async describe(fleet: Fleet, home: Home): Promise<void> {
    const { role, database } = home.placement;
    await inDatabaseOf(fleet, home, async (connection) => {
      const ours = await isOurRole(connection, home);
      const limits = [...limitRole(role, home.tenant.limits), ...limitDatabase(database, home)];
      await connection.atomically([placementUpdate(home), ...(ours ? limits : [])]);
      if (!ours) tellUnlimited(fleet, home);
    });
  },

  async drop(fleet: Fleet, home: Home, permission?: Sql): Promise<void> {
    const found = await databaseDriver.inspect(fleet, home);
    if (found.state === 'foreign') throw placeTaken(home, found.what);
    if (permission !== undefined && found.state === 'present')
      await inDatabaseOf(fleet, home, (connection) => connection.rows(permission));
    await fleet.connections(home.placement.cluster).leave(home.placement.database);
    await onCluster(fleet, home, async (connection) => {
      if (found.state === 'present') await dropAsOwner(connection, home);
      // A crash may have left it under its passing name, with rights of the role in it.
      await dropDatabase(connection, passingName(home));
      await dropTenantRole(connection, home);
    });
  },
};

function onCluster<T>(fleet: Fleet, home: Home, work: (connection: Connection) => Promise<T>): Promise<T> {
  const connections = fleet.connections(home.placement.cluster);
  return connections.use(connections.maintenanceDatabase, work);
}

async function dropAsOwner(connection: Connection, home: Home): Promise<void> {
  const { database } = home.placement;
  const owner = await ownerOfDatabase(connection, database);
  if (owner === undefined) return;
  await asRole(connection, home, owner, () => dropDatabase(connection, database));
}

/** A database gets the tenant's name only when its placement row is in it, so one without is not ours. */
async function inspectInside(fleet: Fleet, home: Home): Promise<HomeState> {
  const { cluster, database } = home.placement;
  const foreign: HomeState = { state: 'foreign', what: `database ${database}` };
  try {
    return await fleet.connections(cluster).use(database, async (connection) => {
      const placed = (await hasLocalState(connection)) ? await readPlacement(connection, home) : undefined;
      if (placed === undefined || placed.tier !== 'database') return foreign;
      return { state: 'present', key: placed.key, admission: placed.state };
    });
  } catch (error) {
    const state = sqlstateOf((error as Error).cause);
    // We may not even look into it: whoever made it, it was not us.
    if (state === '42501' || state === '55000') return foreign;
    throw error;
  }
}

/** Copies the template under a passing name, makes the copy the tenant's, and only then gives it its name. */
async function makeFromTemplate(fleet: Fleet, home: Home, migrations: readonly Migration[]): Promise<void> {
  const { cluster, database } = home.placement;
  const role = await onCluster(fleet, home, async (connection) => {
    await ensureAppRole(connection, fleet.settings.tenancy);
    return tenantRoleStatements(connection, home, await inspectTenantRole(connection, home));
  });
  const template = await ensureTemplate(fleet, cluster, migrations);
  const passing = passingName(home);
  await onCluster(fleet, home, async (connection) => {
    await dropDatabase(connection, passing);
    await copyTemplate(connection, template, passing);
    fleet.reach('provision.database-copied');
    await closeToPublic(connection, passing);
    fleet.reach('provision.database-closed');
  });
  await fleet.connections(cluster).use(passing, (connection) => makeTenants(connection, home, passing, role));
  await fleet.connections(cluster).leave(passing);
  await onCluster(fleet, home, (connection) => renameDatabase(connection, passing, database));
}

/** Short and the same for the same tenant, so that a leftover is found and thrown away. */
function passingName(home: Home): string {
  return `tenantctl_new_${createHash('sha256').update(home.placement.database).digest('hex').slice(0, 16)}`;
}

async function copyTemplate(connection: Connection, template: string, database: string): Promise<void> {
  await withLockRetry(COPY_ATTEMPTS, STILL_IN_USE, () =>
    connection.execute(
      sql`create database ${ident(database)} template ${ident(template)} strategy wal_log allow_connections false`,
    ),
  );
}

async function makeTenants(connection: Connection, home: Home, database: string, role: Sql[]): Promise<void> {
  await connection.atomically([
    ...role,
    ...limitDatabase(database, home),
    ...grantSchema(home.placement.schema, home.placement.role, true),
    placementInsert(home, SELF.ledgerKey),
  ]);
}

/** The limit binds the administrator too: places of its own let it migrate a busy tenant. */
const PLACES_FOR_THE_TOOL = 2;

/** A plan's limits on the database bind every login to it, whatever role it has. */
function limitDatabase(database: string, { tenant: { limits } }: Home): Sql[] {
  return [
    raw(
      `alter database ${ident(database).text()} connection limit ${limits.connections === null ? -1 : limits.connections + PLACES_FOR_THE_TOOL}`,
    ),
    sql`alter database ${ident(database)} ${timeoutClause(limits.statementTimeoutMs)}`,
  ];
}

function doors(fleet: Fleet, connection: Connection, home: Home, state: 'open' | 'closed'): Sql[] {
  const { tenancy } = fleet.settings;
  const { role, schema, database } = home.placement;
  const [db, members] = [ident(database), sql`${ident(role)}, ${ident(tenancy.appRole)}`];
  return [
    state === 'open'
      ? sql`grant connect on database ${db} to ${members}`
      : sql`revoke connect on database ${db} from ${members}`,
    ...doorStatements(connection, schema, role, tenancy, state),
  ];
}

/** A database that was there before us has no limit of ours. */
async function liftLimit(connection: Connection, home: Home): Promise<void> {
  if (!(await isOurRole(connection, home))) return;
  await connection.execute(sql`alter database ${ident(home.placement.database)} connection limit -1`);
}

function doorsOf(state: 'open' | 'closed') {
  return { unit: SELF.ledgerKey, wholeDatabase: true, state };
}

/** Ends the other sessions of this database as far as the administrator may; the rest meet 42501. */
async function endSessionsHere(connection: Connection): Promise<void> {
  await connection.rows(
    raw(`
    select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and usename <> session_user and (pg_has_role(session_user, usesysid, 'USAGE')
       or (pg_has_role(session_user, 'pg_signal_backend', 'USAGE') and not (select rolsuper from pg_roles where oid = usesysid)))`),
  );
}
