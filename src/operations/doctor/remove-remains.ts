import { groupBy } from '../../core/group-by.js';
import type { Connection } from '../../pg/connection.js';
import { withLockRetry } from '../../pg/retry.js';
import { ident, raw, sql } from '../../pg/sql.js';
import type { Remains } from './remains.js';
import type { DatabaseContext } from './rule.js';

/** Writers of a table queue behind whoever wants to take a trigger off it. */
const LOCK_TIMEOUT = '500ms';
const TRIES = 8;

/** Takes off what a finished move has left: triggers, functions, marks. Again: no change. */
export async function removeRemains(
  { fleet, cluster, session }: DatabaseContext,
  remains: Remains,
): Promise<void> {
  // The session of the rule has been given back by the time that something is mended.
  await fleet.managed(cluster, session.database, async (connection) => {
    for (const [on, triggers] of groupBy(remains.triggers, (trigger) => trigger.on))
      await takeOff(
        connection,
        on,
        triggers.map(({ name }) => name),
      );
    for (const name of remains.functions)
      await connection.execute(sql`drop function if exists ${ident('tenantctl', name)}`);
    await connection.atomically([
      sql`delete from tenantctl.dirty where move = ${remains.id}`,
      sql`delete from tenantctl.move where move = ${remains.id}`,
    ]);
  });
}

async function takeOff(connection: Connection, on: string, names: readonly string[]): Promise<void> {
  const statements = names.map((name) => sql`drop trigger if exists ${ident(name)} on ${raw(on)}`);
  await withLockRetry(TRIES, new Set(), () =>
    connection.atomically([raw(`set local lock_timeout = '${LOCK_TIMEOUT}'`), ...statements]),
  );
}
