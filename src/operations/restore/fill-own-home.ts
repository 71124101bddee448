import type { TableSum } from '../../engine/rows/sums.js';
import { tablesSignature } from '../../engine/moves/alike.js';
import { ownHome } from '../../engine/moves/own-home.js';
import { raiseSequencesTo } from '../../engine/moves/sequences.js';
import { assertRestored } from '../../engine/restore/sums.js';
import { refreshViews } from '../../engine/restore/views.js';
import { tableOf } from '../../engine/rows/side.js';
import type { Connection } from '../../pg/connection.js';
import { join, raw, sql } from '../../pg/sql.js';
import { explained } from './explain.js';
import { type Filling, inFilling, loadTable, readPairs, stagesOf } from './filling.js';
import { completeReferences } from './reference-rows.js';
import { whileNotMigrated } from './while-not-migrated.js';

/**
 * Makes the rows of a home of the tenant's own those of the export, in one transaction: rows, foreign keys, triggers and
 * proof come together or not at all. Nobody may be in it meanwhile.
 * @param onFilled called when it is committed
 * @throws difference error `RESTORE_DIFFERS` (exit 8); then the home is as it was
 */
export async function fillOwnHome(filling: Filling, onFilled: () => void): Promise<TableSum[]> {
  const { side, task } = filling;
  return inFilling(filling, async (session) => {
    const { pairs } = await readPairs(filling, session);
    const stages = stagesOf(pairs.tenant, 'staged');
    const receiver = ownHome(side, stages, task);
    // What a call that was killed has left to be proved.
    await receiver.conclude(session);
    const signature = await tablesSignature(session, side);
    const fill = async (): Promise<TableSum[]> => {
      await session.execute(raw(`set local lock_timeout = '10s'`));
      await filling.permit(session);
      await receiver.makeReady(session);
      if (stages.length > 0)
        await session.execute(sql`truncate ${join(stages.map(({ target }) => tableOf(side, target.name)))}`);
      for (const [n, pair] of pairs.tenant.entries())
        await loadTable(filling, session, pair, (stages[n] as (typeof stages)[number]).staged);
      await completeReferences(filling, session, pairs.reference);
      await session.execute(raw('set constraints all immediate'));
      await receiver.putBack(session);
      const sums = await assertRestored(session, side, pairs.tenant);
      await raiseSequencesTo({ side, session }, filling.bag.manifest.sequences);
      // Once more, as a hold may have come meanwhile.
      await filling.permit(session);
      return sums;
    };
    const sums = await whileNotMigrated(filling, session, signature, () =>
      session.transaction(fill).catch((error: unknown) => {
        throw explained(side, error);
      }),
    );
    onFilled();
    await conclude(filling, session, receiver);
    return sums;
  });
}

/** What nobody has to wait for in a transaction: constraints are proved, and the server looks at the tables. */
async function conclude(
  { fleet, home, side }: Filling,
  session: Connection,
  receiver: ReturnType<typeof ownHome>,
): Promise<void> {
  const unproved = await receiver.conclude(session);
  if (unproved.length > 0)
    fleet.emit({
      type: 'notice',
      level: 'warning',
      code: 'CONSTRAINT_NOT_PROVED',
      message: `tenant ${home.tenant.id} has rows that refer to nothing, as they did when it was exported: ${unproved.join(', ')} stays NOT VALID`,
    });
  await receiver.gatherStatistics(session);
  await refreshViews(session, side);
}
