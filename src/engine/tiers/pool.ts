import { conflictError } from '../../core/errors.js';
import type { ClusterSettings, PoolSettings, TenancySettings } from '../../core/settings.js';
import type { Placement } from '../../core/tier.js';
import type { MigrationUnit } from '../../core/unit.js';
import type { Connection } from '../../pg/connection.js';
import { withLock } from '../../pg/locks.js';
import { type Sql, ident, sql } from '../../pg/sql.js';
import type { Fleet } from '../context.js';
import { readLedger } from '../ledger/entries.js';
import type { Migration } from '../ledger/migration.js';
import {
  type Admission,
  type FencedStatus,
  type Home,
  admissionUpdate,
  placementDelete,
  placementInsert,
  readPlacement,
  strayPlacement,
  placementUpdate,
} from '../local/placements.js';
import type { HomeState, Relation, TierDriver } from './driver.js';
import { fillHome } from './fill.js';
import { prepareSharedDatabase } from './managed-database.js';
import { tellWhatHasNoPolicies } from './open-tables.js';
import { admissionIfOurs, placeTaken, strayHome } from './place-taken.js';
import { readRelations } from './relations.js';
import { admitHome, inDatabaseOf, openHome } from './session.js';

/** Tables shared with other tenants, held apart by row-level security. */
export const poolDriver: TierDriver = {
  tier: 'pool',
  facts: { sharesUnit: true, drops: 'rows' },

  place(
    _id: string,
    cluster: ClusterSettings,
    pool: PoolSettings | null,
    tenancy: TenancySettings,
  ): Placement {
    if (pool === null) throw new TypeError('a pool placement needs a pool');
    return {
      tier: 'pool',
      cluster: cluster.name,
      database: pool.database,
      schema: pool.schema,
      pool: pool.name,
      role: tenancy.appRole,
    };
  },

  unit(_id: string, { cluster, database, schema, pool }: Placement): MigrationUnit {
    const id = `pool:${pool}`;
    return {
      id,
      tier: 'pool',
      shared: true,
      cluster,
      database,
      schema,
      ledgerKey: id,
      tenants: [],
      tenantCount: 0,
    };
  },

  async inspect(fleet: Fleet, home: Home): Promise<HomeState> {
    const { tenancy } = fleet.settings;
    await prepareSharedDatabase(fleet, home.placement.cluster, home.placement.database);
    return inDatabaseOf(fleet, home, (connection) => inspectPool(connection, home, tenancy.column));
  },

  async create(fleet, home, migrations, { seen, ready = false, until } = {}): Promise<Admission> {
    await until;
    await preparePool(fleet, home, migrations);
    fleet.reach('provision.created');
    return inDatabaseOf(fleet, home, async (connection) => {
      const found = seen ?? (await inspectPool(connection, home, fleet.settings.tenancy.column));
      const admission = admissionIfOurs(home, found);
      if (admission !== undefined) return admission;
      const placed = placementInsert(home, ledgerKeyOf(home));
      await connection.atomically(ready ? [placed, admissionUpdate(home, 'active')] : [placed]);
      return ready ? 'active' : 'making';
    });
  },

  open: openHome,
  admit: (fleet, home, prepare) => admitHome(fleet, home, prepare),

  relations(fleet: Fleet, home: Home): Promise<Relation[]> {
    return inDatabaseOf(fleet, home, (connection) =>
      tenantRelations(connection, home, fleet.settings.tenancy),
    );
  },

  /** The policies ask the placement once a statement, so one row opens and closes the home. */
  async fence(fleet: Fleet, home: Home, status: FencedStatus): Promise<void> {
    await inDatabaseOf(fleet, home, async (connection) => {
      await connection.execute(admissionUpdate(home, status));
      if (status !== 'active') await tellWhatHasNoPolicies(fleet, connection, home);
    });
  },

  /** The policies ask the placement, which says that it has moved. */
  leaving: () => Promise.resolve([]),
  vacate: () => Promise.resolve(),

  async describe(fleet: Fleet, home: Home): Promise<void> {
    await inDatabaseOf(fleet, home, (connection) => connection.execute(placementUpdate(home)));
  },

  async drop(fleet: Fleet, home: Home, permission?: Sql): Promise<void> {
    const { tenancy } = fleet.settings;
    await prepareSharedDatabase(fleet, home.placement.cluster, home.placement.database);
    await inDatabaseOf(fleet, home, async (connection) => {
      const found = await inspectPool(connection, home, tenancy.column);
      if (found.state === 'foreign') throw placeTaken(home, found.what);
      if (found.state === 'absent') return;
      await connection.transaction(async () => {
        if (permission !== undefined) await connection.rows(permission);
        const relations = await tenantRelations(connection, home, tenancy);
        await connection.rows(FLEET_SCOPE);
        for (const { name } of relations.toReversed()) {
          await connection.execute(
            sql`delete from ${ident(home.placement.schema, name)} where ${ident(tenancy.column)} = ${home.tenant.key}`,
          );
        }
        const [kept] = await connection.rows<{ name: string }>(holding(home, tenancy.column));
        if (kept !== undefined) throw rowsStay(home, kept.name);
        await connection.execute(placementDelete(home));
      });
    });
  },
};

function ledgerKeyOf({ tenant, placement }: Home): string {
  return poolDriver.unit(tenant.id, placement).ledgerKey;
}

/** Rows with the tenant's key but without a placement of ours are somebody else's. */
async function inspectPool(connection: Connection, home: Home, column: string): Promise<HomeState> {
  const placed = await readPlacement(connection, home);
  if (placed === undefined) {
    const stray = await strayPlacement(connection, home);
    if (stray !== undefined) return { state: 'foreign', what: strayHome(home, stray) };
    const tables = await tablesHolding(connection, home, column);
    return tables.length === 0
      ? { state: 'absent' }
      : { state: 'foreign', what: `rows with key ${home.tenant.key} in ${tables.join(', ')}` };
  }
  return placed.unit === ledgerKeyOf(home)
    ? { state: 'present', key: placed.key, admission: placed.state }
    : { state: 'foreign', what: strayHome(home, placed.unit) };
}

async function tenantRelations(
  connection: Connection,
  home: Home,
  tenancy: TenancySettings,
): Promise<Relation[]> {
  const relations = await readRelations(connection, home.placement.schema, tenancy.column);
  return relations.filter(({ tenantColumn }) => tenantColumn !== null);
}

/** Forced row-level security blinds the owner too; for the rest of the transaction it sees every tenant. */
const FLEET_SCOPE = sql`select set_config('tenantctl.scope', 'fleet', true)`;

function holding({ placement, tenant }: Home, column: string): Sql {
  return sql`select t as name from tenantctl.tables_holding(${placement.schema}, ${column}, ${tenant.key}) t`;
}

/** The placement is what shuts a home and what holds are read from: it outlives every row. */
function rowsStay({ tenant: { id }, placement: { database } }: Home, table: string) {
  return conflictError('ROWS_STAY', `Rows of tenant ${id} in ${table} of database ${database} stay.`, {
    hint: 'A trigger or rule on DELETE keeps them. See to it, and run the same command again.',
    facts: { tenant: id, table },
  });
}

async function tablesHolding(connection: Connection, home: Home, column: string): Promise<string[]> {
  const results = await connection.atomically([FLEET_SCOPE, holding(home, column)]);
  return (results.at(-1)?.rows ?? []).map(({ name }) => String(name));
}

/** Makes the pool itself, once a process: its schema and every migration. A pool that is there is left at its version. */
async function preparePool(fleet: Fleet, home: Home, migrations: readonly Migration[]): Promise<void> {
  const { cluster, database, pool } = home.placement;
  await prepareSharedDatabase(fleet, cluster, database);
  await fleet.once(`pool ${pool}`, () =>
    inDatabaseOf(fleet, home, async (connection) => {
      const unit = poolDriver.unit(home.tenant.id, home.placement);
      // The first tenants of a new pool may come together: one makes it, the others wait.
      await withLock(connection, 'cluster', unit.id, async () => {
        if ((await readLedger(connection, unit)).length > 0) return;
        await createPoolSchema(fleet, connection, home);
        await fillHome(fleet, connection, unit, migrations);
      });
    }),
  );
}

/** The comment by which we know a schema as this pool's; a pool without migrations has no ledger row yet. */
async function createPoolSchema(fleet: Fleet, connection: Connection, home: Home): Promise<void> {
  const { schema, pool } = home.placement;
  const mark = `tenantctl: pool ${pool}`;
  const found = await connection.row<{ comment: string | null }>(
    sql`select obj_description(oid, 'pg_namespace') as comment from pg_namespace where nspname = ${schema}`,
  );
  if (found !== undefined && found.comment !== mark) throw poolTaken(home);
  if (found !== undefined) return;
  await connection.transaction(async () => {
    await connection.execute(sql`create schema if not exists ${ident(schema)}`);
    await connection.message(sql`comment on schema ${ident(schema)} is ${mark}`.text());
    await connection.execute(
      sql`grant usage on schema ${ident(schema)} to ${ident(fleet.settings.tenancy.appRole)}`,
    );
  });
}

function poolTaken(home: Home) {
  const { pool, database, schema, cluster } = home.placement;
  return conflictError(
    'PLACE_TAKEN',
    `Schema ${schema} of database ${database} is there, but tenantctl did not make it for pool ${pool}.`,
    {
      hint: 'Nothing was changed. Give the pool another schema in the configuration, or rename this one.',
      facts: { pool, cluster, database, schema },
    },
  );
}
