import { refusedError } from '../../core/errors.js';
import type { ClusterSettings, PoolSettings, TenancySettings } from '../../core/settings.js';
import type { Placement } from '../../core/tier.js';
import type { MigrationUnit } from '../../core/unit.js';
import type { Connection } from '../../pg/connection.js';
import { type Sql, ident, raw, sql } from '../../pg/sql.js';
import type { Fleet } from '../context.js';
import { adoptedDelete } from '../local/adopted.js';
import {
  type Admission,
  type FencedStatus,
  type Home,
  type LocalPlacement,
  admissionUpdate,
  placementDelete,
  placementInsert,
  placementUpdate,
  strayUnit,
} from '../local/placements.js';
import { type Outside, dependentsOutside } from '../rows/outside.js';
import type { HomeState, Relation, RoleState, TierDriver } from './driver.js';
import { fillHome, fillNewHome } from './fill.js';
import { prepareSharedDatabase } from './managed-database.js';
import { dropLargeObjects } from './large-objects.js';
import { admissionIfOurs, placeTaken, strayHome } from './place-taken.js';
import { adoptedDoors, tellWhatStaysOpen } from './adopted-doors.js';
import { asRole, ownerOfSchema } from './owners.js';
import {
  doorStatements,
  dropTenantRole,
  endSessionsOf,
  grantSchema,
  isOurRole,
  leavingStatements,
  limitRole,
  sharesRole,
  stateOfRole,
  tellUnlimited,
  tenantRoleStatements,
} from './roles.js';
import { readRelations } from './relations.js';
import { admitHome, inDatabaseOf, openHome } from './session.js';

/** A schema of the tenant's own, with a role of its own that may use it and nobody else's. */
export const schemaDriver: TierDriver = {
  tier: 'schema',
  facts: { sharesUnit: false, drops: 'schema' },

  place(
    id: string,
    cluster: ClusterSettings,
    _pool: PoolSettings | null,
    tenancy: TenancySettings,
  ): Placement {
    const schema = tenancy.names.schema.replace('{id}', id);
    return {
      tier: 'schema',
      cluster: cluster.name,
      database: cluster.schemaDatabase,
      schema,
      pool: null,
      role: schema,
    };
  },

  unit(id: string, { cluster, database, schema }: Placement): MigrationUnit {
    return {
      id: `schema:${id}`,
      tier: 'schema',
      shared: false,
      cluster,
      database,
      schema,
      ledgerKey: `schema:${schema}`,
      tenants: [id],
      tenantCount: 1,
    };
  },

  async inspect(fleet: Fleet, home: Home): Promise<HomeState> {
    await prepareSharedDatabase(fleet, home.placement.cluster, home.placement.database);
    return inDatabaseOf(fleet, home, (connection) => inspectSchema(connection, home));
  },

  async create(fleet, home, migrations, { seen, ready = false, until } = {}): Promise<Admission> {
    const { cluster, database } = home.placement;
    await prepareSharedDatabase(fleet, cluster, database);
    return inDatabaseOf(fleet, home, async (connection) => {
      const state = seen ?? (await inspectSchema(connection, home));
      const found = admissionIfOurs(home, state);
      const unit = schemaDriver.unit(home.tenant.id, home.placement);
      connection.touched += 1;
      if (state.state !== 'absent') {
        await until;
        await fillHome(fleet, connection, unit, migrations);
        return found ?? 'making';
      }
      await fillNewHome(fleet, connection, unit, migrations, {
        before: groundwork(connection, home, unit, state.role),
        after: ready ? [...doors(fleet, connection, home, 'open'), admissionUpdate(home, 'active')] : [],
        until,
      });
      return ready ? 'active' : 'making';
    });
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
    await inDatabaseOf(fleet, home, async (connection) => {
      const theirs = await adoptedDoors(connection, home, doorsOf(home, open ? 'open' : 'closed'));
      await connection.atomically([
        ...(theirs ?? doors(fleet, connection, home, open ? 'open' : 'closed')),
        admissionUpdate(home, status),
      ]);
      if (open) return;
      // Sessions of a role that was there before us may be at work for other tenants.
      if (theirs === null) await endSessionsOf(connection, home.placement.role);
      else await tellWhatStaysOpen(fleet, connection, home, false);
    });
  },

  async leaving(fleet: Fleet, connection: Connection, home: Home, next: Placement): Promise<Sql[]> {
    const { placement } = home;
    const theirs = await adoptedDoors(connection, home, doorsOf(home, 'closed'));
    return theirs ?? leavingStatements(placement, placement.schema, next, fleet.settings.tenancy);
  },

  async vacate(fleet: Fleet, home: Home, next: Placement): Promise<void> {
    if (sharesRole(home.placement, next)) return;
    await inDatabaseOf(fleet, home, async (connection) => {
      if (await isOurRole(connection, home)) await endSessionsOf(connection, home.placement.role);
    });
  },

  async describe(fleet: Fleet, home: Home): Promise<void> {
    const { role } = home.placement;
    await inDatabaseOf(fleet, home, async (connection) => {
      const ours = await isOurRole(connection, home);
      await connection.atomically([
        placementUpdate(home),
        ...(ours ? limitRole(role, home.tenant.limits) : []),
      ]);
      if (!ours) tellUnlimited(fleet, home);
    });
  },

  async drop(fleet: Fleet, home: Home, permission?: Sql): Promise<void> {
    await prepareSharedDatabase(fleet, home.placement.cluster, home.placement.database);
    await inDatabaseOf(fleet, home, async (connection) => {
      const found = await inspectSchema(connection, home);
      if (found.state === 'foreign') throw placeTaken(home, found.what);
      // Large objects of a role that was there before us may be other tenants'.
      if (permission !== undefined && (await isOurRole(connection, home)))
        await dropLargeObjects(connection, home, permission);
      if (found.state === 'absent') return dropTenantRole(connection, home);
      await connection.transaction(async () => {
        if (permission !== undefined) await connection.rows(permission);
        const outside = await dependentsOutside(connection, home.placement.schema);
        if (outside.length > 0) throw dropsTooMuch(home, outside);
        const unit = schemaDriver.unit(home.tenant.id, home.placement).ledgerKey;
        await dropSchema(connection, home);
        await connection.execute(sql`delete from tenantctl.ledger where unit = ${unit}`);
        await connection.execute(adoptedDelete(unit));
        await connection.execute(placementDelete(home));
        await dropTenantRole(connection, home);
      });
    });
  },
};

/** As its owner, where that is another role. */
async function dropSchema(connection: Connection, home: Home): Promise<void> {
  const { schema } = home.placement;
  const owner = await ownerOfSchema(connection, schema);
  if (owner === undefined) return;
  await asRole(connection, home, owner, () =>
    connection.execute(sql`drop schema if exists ${ident(schema)} cascade`),
  );
}

function doorsOf({ tenant, placement }: Home, state: 'open' | 'closed') {
  return { unit: schemaDriver.unit(tenant.id, placement).ledgerKey, wholeDatabase: false, state };
}

function dropsTooMuch({ tenant, placement: { schema } }: Home, outside: readonly Outside[]) {
  const named = outside.slice(0, 5).map(({ kind, name }) => `${kind} ${name}`);
  return refusedError(
    'DROPS_TOO_MUCH',
    `Schema ${schema} of tenant ${tenant.id} is not dropped, because others would lose what uses it from outside: ${named.join(', ')}.`,
    {
      hint: 'Drop that, or let it use something else, and run the same command again.',
      facts: { tenant: tenant.id, schema, outside },
    },
  );
}

/** Schema and placement row come into being in one transaction: one without the other is not ours. */
async function inspectSchema(connection: Connection, home: Home): Promise<HomeState> {
  const { schema } = home.placement;
  type Found = {
    there: boolean;
    stray: string | null;
    role: boolean;
    mark: string | null;
  } & Partial<LocalPlacement>;
  const [found] = await connection.rows<Found>(sql`
    select to_regnamespace(quote_ident(${schema})) is not null as there, p.tier, p.key, p.state, (${strayUnit(home)}) as stray,
           r.oid is not null as role, shobj_description(r.oid, 'pg_authid') as mark
      from (select to_regrole(quote_ident(${home.placement.role}))::oid) r (oid)
      left join tenantctl.placement p on p.tenant = ${home.tenant.id} and p.schema = ${schema}`);
  const { there = false, stray = null, role = false, mark = null, tier, key, state } = found ?? {};
  if (!tier || !key || !state) {
    if (stray !== null) return { state: 'foreign', what: strayHome(home, stray) };
    if (there) return { state: 'foreign', what: `schema ${schema}` };
    return { state: 'absent', role: role ? stateOfRole(home, mark) : 'absent' };
  }
  if (tier === 'schema' && there) return { state: 'present', key, admission: state };
  return { state: 'foreign', what: `local placement of ${home.tenant.id} in tier ${tier}` };
}

/** The statements that make an empty home, for the transaction that fills it. */
function groundwork(
  connection: Connection,
  home: Home,
  { ledgerKey }: MigrationUnit,
  found: RoleState = 'absent',
): Sql[] {
  const { schema, role } = home.placement;
  return [
    ...tenantRoleStatements(connection, home, found),
    raw(`create schema ${ident(schema).text()}`),
    ...grantSchema(schema, role, false),
    placementInsert(home, ledgerKey),
  ];
}

function doors(fleet: Fleet, connection: Connection, home: Home, state: 'open' | 'closed'): Sql[] {
  const { schema, role } = home.placement;
  return doorStatements(connection, schema, role, fleet.settings.tenancy, state);
}
