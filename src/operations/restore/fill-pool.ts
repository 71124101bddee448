import { refusedError } from '../../core/errors.js';
import { tablesSignature } from '../../engine/moves/alike.js';
import { livePool } from '../../engine/moves/live-pool.js';
import { readPool } from '../../engine/moves/merge/pool-tables.js';
import { removeCounted } from '../../engine/moves/merge/remove.js';
import { raiseSequencesTo } from '../../engine/moves/sequences.js';
import type { Stage } from '../../engine/moves/stages.js';
import type { Pair } from '../../engine/restore/pair.js';
import { assertRestored, only } from '../../engine/restore/sums.js';
import { populatedViews } from '../../engine/restore/views.js';
import { type Scope, type ScopedTable, scopedRows } from '../../engine/rows/scope.js';
import { type Side, tableOf } from '../../engine/rows/side.js';
import type { TableSum } from '../../engine/rows/sums.js';
import { storedColumns } from '../../engine/rows/tables.js';
import type { Connection } from '../../pg/connection.js';
import { raw, sql } from '../../pg/sql.js';
import { explained } from './explain.js';
import { type Filling, inFilling, readPairs, stageFile, stagesOf } from './filling.js';
import { assertReferences } from './reference-rows.js';
import { assertNothingTaken } from './taken-values.js';
import { whileNotMigrated } from './while-not-migrated.js';

interface Options {
  /** May the home hold rows of the tenant already, which go? */
  replaces: boolean;
  /** What is done when nothing is known to stand in the way, before the first row is written to the pool. */
  begin(): Promise<void>;
  onFilled(): void;
}

/**
 * Makes the tenant's rows in a pool those of the export, while other tenants go on using it. The long part, copying the
 * files, touches temporary tables only; one transaction then writes all rows and proves them.
 * @throws refusal `RESTORE_VALUE_TAKEN` or `REFERENCES_MISSING` (exit 6) · difference error `RESTORE_DIFFERS` (exit 8);
 *   none of the rows is kept then
 */
export async function fillPool(filling: Filling, options: Options): Promise<TableSum[]> {
  const { side, task } = filling;
  return inFilling(filling, async (session) => {
    const { pairs, scope } = await readPairs(filling, session);
    if (options.replaces) assertClassified(side, scope);
    const stages = stagesOf(pairs.tenant, 'staged');
    const signature = await tablesSignature(session, side);
    for (const [n, pair] of pairs.tenant.entries())
      await stageFile(filling, session, pair, (stages[n] as Stage).staged, storedColumns(pair.target));
    for (const { staged } of stages) await session.execute(sql`analyze ${staged}`);
    await assertReferences(filling, session, pairs.reference);
    await assertNothingTaken(session, side, pairs.tenant, stages);
    await options.begin();
    const receiver = livePool(side, stages, task);
    const fill = async (): Promise<TableSum[]> => {
      await session.execute(raw(`set local lock_timeout = '10s'`));
      await filling.permit(session);
      if (options.replaces && pairs.tenant.length > 0) await removeRows(session, side, pairs.tenant, stages);
      await receiver.settle(session);
      const sums = await assertRestored(session, side, pairs.tenant);
      await raiseSequencesTo({ side, session }, filling.bag.manifest.sequences);
      // Once more, as a hold may have come meanwhile.
      await filling.permit(session);
      return sums;
    };
    await receiver.makeReady(session);
    try {
      const sums = await whileNotMigrated(filling, session, signature, () => session.transaction(fill));
      options.onFilled();
      await tellViews(filling, session);
      return sums;
    } catch (error) {
      throw explained(side, error);
    } finally {
      if (session.usable) await receiver.conclude(session);
    }
  });
}

/** A view of a pool holds rows of all its tenants, so when it is filled again is for its owner to say. */
async function tellViews({ fleet, side, home }: Filling, session: Connection): Promise<void> {
  const views = await populatedViews(session, side);
  if (views.length === 0) return;
  fleet.emit({
    type: 'notice',
    level: 'info',
    code: 'VIEWS_NOT_REFRESHED',
    message: `materialized views of pool ${home.placement.pool} do not know the restored rows until they are refreshed: ${views.join(', ')}`,
  });
}

/** Every row of the tenant, and none that would go with one of them: it would not come back with the export. */
async function removeRows(
  session: Connection,
  side: Side,
  pairs: readonly Pair<ScopedTable>[],
  stages: readonly Stage[],
): Promise<void> {
  await removeCounted(session, await readPool(session, side, stages), (_table, at) => {
    const { target } = pairs[at] as Pair<ScopedTable>;
    return sql`delete from ${only(target)}${tableOf(side, target.name)} x where ${scopedRows(side, target, 'x')}`;
  });
}

/**
 * A row of such a table may go with one that it refers to, and would not come back with the export.
 * @throws refusal `TABLES_UNCLASSIFIED` (exit 6)
 */
function assertClassified({ home }: Side, { unclassified }: Scope): void {
  if (unclassified.length === 0) return;
  const { pool } = home.placement;
  const said = unclassified.map(({ table, problem }) => `table ${table}: ${problem}`);
  throw refusedError(
    'TABLES_UNCLASSIFIED',
    `Nothing says whose the rows of these tables of pool ${pool} are: ${said.join('; ')}.`,
    {
      hint: unclassified.map(({ table, remedy }) => `${table}: ${remedy}`).join('; '),
      facts: { pool, tables: unclassified },
    },
  );
}
