import { conflictError } from '../../core/errors.js';
import type { TenantStatus } from '../../core/tenant.js';
import { standingHoldOf } from '../../engine/catalog/legal-holds.js';
import { openMoveOf } from '../../engine/catalog/moves.js';
import type { TenantRecord } from '../../engine/catalog/tenants.js';
import type { Fleet } from '../../engine/context.js';
import { type Home, placementOf } from '../../engine/local/placements.js';
import type { Connection } from '../../pg/connection.js';
import { sql } from '../../pg/sql.js';
import { onHold } from '../retention/hold.js';

const NEXT: Partial<Record<TenantStatus, (id: string) => string>> = {
  provisioning: (id) => `\`tenantctl show ${id}\` says what it waits for; it has no rows yet.`,
  moving: (id) => `\`tenantctl moves resume ${id}\` or \`moves abort ${id}\` first.`,
  offboarding: (id) => `\`tenantctl offboard ${id} --cancel\` brings it back first.`,
};

/**
 * May rows of this tenant be replaced now?
 * @throws conflict `TENANT_STATUS`, `TENANT_MOVING` or `TENANT_ON_HOLD` (exit 5) with the next step
 */
export async function assertReplaceable(connection: Connection, { id, status }: TenantRecord): Promise<void> {
  if (status !== 'active' && status !== 'suspended')
    throw conflictError('TENANT_STATUS', `Tenant ${id} is ${status}, so its rows are not replaced.`, {
      hint: NEXT[status]?.(id) ?? `Restore it into a new tenant: --as ${id}-restored.`,
      facts: { tenant: id, status },
    });
  const move = await openMoveOf(connection, id);
  if (move !== undefined)
    throw conflictError(
      'TENANT_MOVING',
      `A move of tenant ${id} is not over, so its rows are not replaced.`,
      {
        hint: `\`tenantctl moves complete ${id}\` ends the grace period, \`tenantctl moves undo ${id}\` goes back.`,
        facts: { tenant: id, move: move.move, state: move.state },
      },
    );
  const hold = await standingHoldOf(connection, id);
  if (hold !== undefined) throw onHold(hold);
}

/**
 * Replacing deletes rows, so it is asked in that very transaction: the home must be shut, and neither it nor the catalog
 * know of a hold. The row stays locked, so a hold that comes later waits.
 * @throws conflict `HOME_OPEN` or `TENANT_ON_HOLD` (exit 5)
 */
export async function permitReplacing(fleet: Fleet, session: Connection, home: Home): Promise<void> {
  const { id } = home.tenant;
  const placed = await session.row<{ state: string; held: boolean }>(
    sql`select state, hold is not null as held from tenantctl.placement where ${placementOf(home)} for share`,
  );
  const hold = await fleet.catalog((connection) => standingHoldOf(connection, id));
  if (hold !== undefined) throw onHold(hold);
  if (placed?.held === true)
    throw conflictError(
      'TENANT_ON_HOLD',
      `The home of tenant ${id} says that it is on hold. Nothing of it is deleted.`,
      {
        hint: `\`tenantctl retention list\` shows the holds; \`tenantctl retention release ${id} --reason …\` ends one.`,
        facts: { tenant: id },
      },
    );
  if (placed?.state === 'suspended') return;
  throw conflictError(
    'HOME_OPEN',
    `Somebody has opened the home of tenant ${id} meanwhile; its rows are as they were.`,
    {
      hint: 'Run the same command again when nobody else works on it.',
      facts: { tenant: id, state: placed?.state ?? null },
    },
  );
}
