import type { MigrationUnit } from '../../core/unit.js';
import type { Fleet } from '../../engine/context.js';
import type { Home } from '../../engine/local/placements.js';
import type { Stage } from '../../engine/moves/stages.js';
import { carriesAll, loadFile } from '../../engine/restore/load.js';
import { type Pair, type Pairs, pairTables } from '../../engine/restore/pair.js';
import { rekey } from '../../engine/restore/rekey.js';
import { type Scope, readScope } from '../../engine/rows/scope.js';
import { type Side, inSide, tableOf } from '../../engine/rows/side.js';
import { storedColumns } from '../../engine/rows/tables.js';
import { driverOf } from '../../engine/tiers/registry.js';
import type { Connection } from '../../pg/connection.js';
import { type Sql, ident, join, raw, sql } from '../../pg/sql.js';
import type { Bag } from './bag.js';
import { assertUninterrupted } from './interruption.js';

/** One home that takes the rows of one export. */
export interface Filling {
  fleet: Fleet;
  bag: Bag;
  home: Home;
  unit: MigrationUnit;
  side: Side;
  /** What is done there, as guards and triggers of the home know it. */
  task: string;
  /** What must hold of the home in the transaction that fills it; throws otherwise. */
  permit(session: Connection): Promise<void>;
}

export function fillingOf(fleet: Fleet, bag: Bag, home: Home, permit: Filling['permit']): Filling {
  const unit = driverOf(home.placement.tier).unit(home.tenant.id, home.placement);
  const side: Side = { name: 'target', home, shared: unit.shared };
  return { fleet, bag, home, unit, side, permit, task: `restore ${home.tenant.id}` };
}

/** Lends a session with the home in which whole tables are joined. */
export function inFilling<T>(
  { fleet, side, task }: Filling,
  work: (session: Connection) => Promise<T>,
): Promise<T> {
  return inSide(fleet, side, task, async (session) => {
    await session.message('set enable_hashjoin = on; set enable_mergejoin = on');
    return work(session);
  });
}

/** @throws refusal `EXPORT_UNLIKE_HOME` (exit 6) */
export async function readPairs(
  { fleet, side, bag }: Filling,
  session: Connection,
): Promise<{ pairs: Pairs; scope: Scope }> {
  const { column, shared } = fleet.settings.tenancy;
  const scope = await readScope(session, side, column, shared);
  return { scope, pairs: pairTables(bag.manifest, scope, side) };
}

/** The tables as the receivers of moves know them; nothing comes from another home. */
export function stagesOf(pairs: readonly Pair[], prefix: string): Stage[] {
  return pairs.map(({ target }, n) => {
    const staged = ident('pg_temp', `tenantctl_${prefix}_${n}`);
    return { source: target, target, touched: staged, staged };
  });
}

/**
 * Copies a file into a temporary table, where rows get the key of this tenant if they came without one.
 * @param columns those that the temporary table has
 */
export async function stageFile(
  filling: Filling,
  session: Connection,
  pair: Pair,
  staged: Sql,
  columns: Sql,
): Promise<void> {
  const { target, carried, exported, rekeying } = pair;
  const { side, home } = filling;
  await session.execute(
    sql`create temp table ${raw(staged.text().replace('"pg_temp".', ''))} as select ${columns} from ${tableOf(side, target.name)} with no data`,
  );
  const { tenantColumn } = target;
  if (
    tenantColumn !== null &&
    exported.kind === 'tenant' &&
    !carried.columns.some(({ name }) => name === tenantColumn)
  )
    await session.message(
      sql`alter table ${staged} alter column ${ident(tenantColumn)} set default ${home.tenant.key}`.text(),
    );
  await loadTold(filling, session, pair, staged);
  const rekeyed = rekey(rekeying, carried, staged);
  if (rekeyed !== undefined) await session.execute(rekeyed);
}

/** Brings the rows of a file into a table of the home that nobody else uses. */
export async function loadTable(
  filling: Filling,
  session: Connection,
  pair: Pair,
  staged: Sql,
): Promise<void> {
  const { target, carried, rekeying } = pair;
  const table = tableOf(filling.side, target.name);
  if (carriesAll(carried, target) && rekeying.columns.length === 0)
    return loadTold(filling, session, pair, table);
  const columns = storedColumns(target);
  await stageFile(filling, session, pair, staged, columns);
  await session.execute(sql`
    insert into ${table} (${columns}) overriding system value select ${columns} from ${staged}`);
  await session.execute(sql`drop table ${staged}`);
}

/** The columns of the file, for a temporary table of reference rows. */
export function carriedColumns({ carried }: Pair): Sql {
  return join(carried.columns.map(({ name }) => ident(name)));
}

const TELL_EVERY_MS = 100;

/** Loads a file and says how far it is. */
async function loadTold(
  { fleet, unit, bag, home }: Filling,
  session: Connection,
  { exported, carried }: Pair,
  into: Sql,
): Promise<void> {
  const { directory, manifest } = bag;
  const { table, rows, bytes } = exported;
  assertUninterrupted(fleet, home.tenant.id);
  fleet.emit({ type: 'unit.step', unit: unit.id, step: `table ${table}: ${rows} rows` });
  let done = 0;
  let told = performance.now();
  await loadFile(session, { directory, data: manifest.data }, exported, carried, into, (more) => {
    done += more;
    if (performance.now() - told < TELL_EVERY_MS) return;
    told = performance.now();
    fleet.emit({ type: 'unit.progress', unit: unit.id, done, total: bytes, of: 'bytes' });
  });
}
