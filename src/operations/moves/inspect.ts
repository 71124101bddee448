import type { MoveMethod } from '../../core/move.js';
import type { MigrationUnit } from '../../core/unit.js';
import type { Fleet } from '../../engine/context.js';
import type { Migration } from '../../engine/ledger/migration.js';
import { connectionBudget } from '../../engine/moves/preflight/connection-budget.js';
import type { Inspected, MoveFinding } from '../../engine/moves/preflight/finding.js';
import { preflight } from '../../engine/moves/preflight/rules.js';
import { tableOwners } from '../../engine/moves/preflight/table-owners.js';
import { type Side, inSide } from '../../engine/rows/side.js';
import { readTables } from '../../engine/rows/tables.js';
import type { Connection } from '../../pg/connection.js';
import { raw, sql } from '../../pg/sql.js';

interface Goal {
  side: Side;
  unit: MigrationUnit;
}

/**
 * Everything that stands in the way of a move, errors first; nothing is changed. Where the budget of connections is too
 * small even to look, or the tables of the new home are not ours to read, only that is said.
 */
export async function inspectMove(
  fleet: Fleet,
  source: Inspected,
  goal: Goal,
  method: MoveMethod,
  migrations: readonly Migration[],
): Promise<MoveFinding[]> {
  const tooFew = connectionBudget(fleet, source.side, goal.side, method);
  if (tooFew.length > 0) return tooFew;
  await readWhole(source.session);
  return atServer(fleet, source, goal, (server) =>
    inDatabase(fleet, source, goal, server, (database) =>
      atTarget(fleet, goal, database, async (target) => {
        const unseen = target === null ? [] : await tableOwners(target, fleet.settings.tenancy.appRole);
        if (unseen.length > 0) return unseen;
        const there = { ...goal, server, database: target?.session ?? database };
        return preflight({ fleet, migrations, source, target, goal: there, method });
      }),
    ),
  );
}

/** The sessions of a move look rows up by key; here they compare whole tables. */
async function readWhole(session: Connection): Promise<void> {
  await session.execute(raw('set enable_hashjoin = on'));
}

function atServer<T>(
  fleet: Fleet,
  { session, side }: Inspected,
  goal: Goal,
  work: (server: Connection) => Promise<T>,
): Promise<T> {
  const { cluster } = goal.side.home.placement;
  if (cluster === side.home.placement.cluster) return work(session);
  const connections = fleet.connections(cluster);
  return connections.use(connections.maintenanceDatabase, work);
}

async function inDatabase<T>(
  fleet: Fleet,
  { session, side }: Inspected,
  goal: Goal,
  server: Connection,
  work: (database: Connection | null) => Promise<T>,
): Promise<T> {
  const { cluster, database } = goal.side.home.placement;
  const old = side.home.placement;
  if (cluster === old.cluster && database === old.database) return work(session);
  const found = await server.row(sql`select from pg_database where datname = ${database}`);
  if (found === undefined) return work(null);
  return fleet.connections(cluster).use(database, work);
}

/** A pool is there before its tenant, unless this one is its first; a home of the tenant's own is made for the move. */
async function atTarget<T>(
  fleet: Fleet,
  { side, unit }: Goal,
  database: Connection | null,
  work: (target: Inspected | null) => Promise<T>,
): Promise<T> {
  const { schema } = side.home.placement;
  const there = await database?.row(sql`select from pg_namespace where nspname = ${schema}`);
  if (!side.shared || there === undefined) return work(null);
  return inSide(fleet, side, 'plan', async (session) => {
    await readWhole(session);
    const tables = await readTables(session, side, fleet.settings.tenancy.column, true);
    return work({ session, side, unit, tables });
  });
}
