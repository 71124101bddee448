import { join, type Sql, ident, sql } from '../../pg/sql.js';
import type { Connection } from '../../pg/connection.js';
import type { Fleet } from '../context.js';
import type { Home } from '../local/placements.js';

/** A home whose rows are read or written: one of the two of a move, or the only one. */
export interface Side {
  /** Rows come from a source and go to a target. */
  name: 'source' | 'target';
  home: Home;
  /** Do rows of other tenants stand in the same tables? */
  shared: boolean;
}

/**
 * How values are written as text, so that both servers write the same value alike whatever their settings and
 * versions are. Time zone and the rest decide the text of a row, which is what is hashed.
 */
const PINNED = [
  `set timezone = 'UTC'`,
  `set datestyle = 'ISO, MDY'`,
  `set intervalstyle = 'postgres'`,
  `set extra_float_digits = 1`,
  `set bytea_output = 'hex'`,
  `set xmloption = 'content'`,
];

/**
 * Rows are looked up by key, a few in large tables: without statistics of the staged keys the planner would rather
 * read a whole table. Without compiling: before 18 whatever is switched off makes a plan look dear enough for it.
 */
const BY_KEY = [`set enable_hashjoin = off`, `set enable_mergejoin = off`, `set jit = off`];

/**
 * Lends a session with one home for a task: names are found as the application finds them, the gate of a move of that
 * name knows the session, and rows of the tenant are seen whatever its home answers. The session is not used for
 * anything else afterwards.
 * @param task id of the move, or what else is done
 */
export function inSide<T>(
  fleet: Fleet,
  { home }: Side,
  task: string,
  work: (session: Connection) => Promise<T>,
): Promise<T> {
  const { cluster, database, schema } = home.placement;
  const path = join([ident(schema), ident(fleet.settings.tenancy.extensionsSchema)]);
  return fleet.managed(cluster, database, async (session) => {
    session.retire();
    const settings = [
      ...PINNED,
      ...BY_KEY,
      `set statement_timeout = 0`,
      // One side of a comparison is through before the other; the fence has a limit of its own.
      `set idle_in_transaction_session_timeout = '1h'`,
      `set search_path = ${path.text()}`,
      sql`select set_config('tenantctl.moving', ${task}, false), set_config('tenantctl.scope', 'fleet', false)`.text(),
      // What this session has written for others is counted to them, and not to the task that is proved by counting.
      'select pg_stat_force_next_flush()',
    ];
    await session.message(settings.join('; '));
    return work(session);
  });
}

/** Does the same on both sides, at once unless one session serves both: a session takes one statement after the other. */
export async function onBothSides<Here, There>(
  one: Connection,
  other: Connection,
  [here, there]: readonly [() => Promise<Here>, () => Promise<There>],
): Promise<[Here, There]> {
  return one === other ? [await here(), await there()] : Promise.all([here(), there()]);
}

/** A table of this side, with its schema. */
export function tableOf({ home }: Side, table: string): Sql {
  return ident(home.placement.schema, table);
}
