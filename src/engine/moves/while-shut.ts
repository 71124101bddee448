import { conflictError } from '../../core/errors.js';
import type { Connection } from '../../pg/connection.js';
import { sqlstateOf } from '../../pg/errors.js';
import { type Sql, sql } from '../../pg/sql.js';
import { type Home, placementOf } from '../local/placements.js';
import type { Side } from '../rows/side.js';

/**
 * Removes rows from a home in which nobody lives: it is being made, or its tenant has left it. Whoever believes so may
 * be wrong, as a process that slept while another one took the move over. The home is not opened meanwhile.
 * @returns the number of rows
 * @throws conflict `HOME_OPEN` (exit 5); nothing was removed then
 */
export async function whileShut(session: Connection, side: Side, removal: Sql): Promise<number> {
  // A division by zero is the server's own refusal, in the transaction that removes.
  const shut = sql`select 1 / (count(*) = 0 or bool_and(state in ('making', 'moved')))::int
    from (select state from tenantctl.placement where ${placementOf(side.home)} for share) home`;
  try {
    return (await session.atomically([shut, removal])).at(-1)?.rowCount ?? 0;
  } catch (error) {
    throw sqlstateOf(error) === '22012' ? homeOpen(side.home, error) : error;
  }
}

/** The refusal to delete what a tenant lives in. */
export function homeOpen({ tenant: { id }, placement }: Home, cause?: unknown) {
  const { schema, database, cluster } = placement;
  return conflictError(
    'HOME_OPEN',
    `Tenant ${id} lives in schema ${schema} of database ${database} on cluster ${cluster}, so nothing is deleted or made there.`,
    {
      hint: `\`tenantctl show ${id}\` says where the catalog believes it to be; another process may have moved it, or the catalog be an old copy.`,
      facts: { tenant: id, cluster, database, schema },
      cause,
    },
  );
}
