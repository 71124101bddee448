import { refusedError } from '../../core/errors.js';
import { isWatching, rulesInWords, rulesOfPool } from '../../core/pool-rules.js';
import type { Fleet } from '../../engine/context.js';
import type { Home } from '../../engine/local/placements.js';
import { openTables } from '../../engine/rows/open-tables.js';

const NAMED = 5;

/**
 * A restored tenant must not find itself in tables that every tenant of a pool reads.
 * @throws refusal `POOL_IS_OPEN` (exit 6); nothing was changed
 */
export async function assertPoolHolds(fleet: Fleet, { tenant, placement }: Home): Promise<void> {
  const { cluster, database, schema, pool } = placement;
  const rules = rulesOfPool(fleet.settings, placement);
  if (!isWatching(rules.mode)) return;
  const open = await fleet.managed(cluster, database, (session) =>
    openTables(session, schema, fleet.settings.tenancy.column),
  );
  if (open.length === 0) return;
  const more = open.length > NAMED ? ` and ${open.length - NAMED} more` : '';
  throw refusedError(
    'POOL_IS_OPEN',
    `Tenant ${tenant.id} is not restored into pool ${pool}, which does not hold its tenants apart (rls: ${rulesInWords(rules)}): every other tenant would read its rows in ${open.slice(0, NAMED).join(', ')}${more}.`,
    {
      hint: `Restore it with --tier schema; or list the tables under clusters.${cluster}.pools.${pool}.enforce, and run \`tenantctl migrate\` first.`,
      facts: { tenant: tenant.id, pool, tables: open },
    },
  );
}
