import type { Connection } from '../../pg/connection.js';
import { sql } from '../../pg/sql.js';
import { applyStaged } from './merge/apply.js';
import { type Pool, keyed, readPool } from './merge/pool-tables.js';
import { settleAll } from './merge/settle.js';
import { restoreTriggers, silenceTriggers } from './merge/silence.js';
import { removeAll } from './merge/write.js';
import type { Receiver } from './receiver.js';
import type { Side } from '../rows/side.js';
import type { Stage } from './stages.js';
import { storedColumns } from '../rows/tables.js';
import { whileShut } from './while-shut.js';

/**
 * A home that is shared with other tenants, who go on using it: foreign keys, unique indexes and triggers stay as they
 * are. Rows that changed are changed where they stand; only a row that is in the way of another one goes first and
 * comes again, and with it the rows that cannot be without it. What was written is compared with what the server has
 * counted, so that nothing else happened by the way.
 */
export function livePool(side: Side, stages: readonly Stage[], move: string): Receiver {
  const tables = stages.map(({ target }) => target);
  let read: Pool | undefined;
  const poolSeenBy = async (session: Connection): Promise<Pool> =>
    (read ??= await readPool(session, side, stages));

  return {
    parallel: false,

    makeReady: (session) => silenceTriggers(session, side, move, tables),

    async empty(session) {
      await whileShut(session, side, removeAll(await poolSeenBy(session)));
    },

    copyInto: ({ target, staged }) => sql`${staged} (${storedColumns(target)})`,

    async settle(session) {
      await settleAll(session, await poolSeenBy(session));
    },

    /** One tenant among many changes little in what the server knows of the tables. */
    gatherStatistics: () => Promise.resolve(),

    async apply(session, touched) {
      const pool = await poolSeenBy(session);
      const names = new Set(touched.map(({ target }) => target.name));
      const concerned = keyed(pool.tables).filter(({ table }) => names.has(table.name));
      if (concerned.length > 0) await applyStaged(session, pool, concerned);
    },

    /** Triggers went on firing for everybody else, so there is nothing to put back before the tenant comes. */
    putBack: () => Promise.resolve(),

    async conclude(session) {
      await restoreTriggers(session, side, move, tables);
      return [];
    },
  };
}
