import type { Connection } from '../../pg/connection.js';
import { sql } from '../../pg/sql.js';
import { applyStaged } from './merge/apply.js';
import { type Pool, keyed, readPool } from './merge/pool-tables.js';
import { writeStaged } from './merge/settle.js';
import { restoreTriggers, silenceTriggers } from './merge/silence.js';
import { purgeRows } from './purge.js';
import type { Receiver } from './receiver.js';
import type { Side } from '../rows/side.js';
import { type Stage, emptyStaged } from './stages.js';
import { storedColumns } from '../rows/tables.js';

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
    async order(session) {
      const { groups, edges } = await poolSeenBy(session);
      return groups.map((group) => ({
        stages: group.map(({ index }) => stages[index] as Stage),
        whole:
          group.length > 1 || edges.some(({ child, parent }) => child === parent && group.includes(child)),
      }));
    },

    makeReady: (session) => silenceTriggers(session, side, move, tables),

    /** A copy that was killed may have left many. */
    async empty(session) {
      await purgeRows(session, side, tables, () => undefined);
    },

    async rehearse(session) {
      const pool = await poolSeenBy(session);
      if (keyed(pool.tables).length > 0) await applyStaged(session, pool, []);
    },

    copyInto: ({ target, staged }) => sql`${staged} (${storedColumns(target)})`,

    async take(session, step) {
      await writeStaged(session, await poolSeenBy(session), step);
    },

    async settle(session) {
      await writeStaged(session, await poolSeenBy(session), stages);
      await session.execute(emptyStaged(stages));
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
