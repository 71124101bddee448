import { shortId } from '../../core/short-id.js';
import { conflictError } from '../../core/errors.js';
import { type MoveReport, isPastReturn } from '../../core/move.js';
import { auditInsert } from '../../engine/catalog/audit.js';
import { unitForget } from '../../engine/catalog/places.js';
import { statusUpdate } from '../../engine/catalog/tenants.js';
import { placementOf } from '../../engine/local/placements.js';
import { sql } from '../../pg/sql.js';
import { removeCopy, removeHelpers } from './clean-up.js';
import type { Drive } from './drive.js';

/**
 * Takes a move back that has not reached the point of no return: the tenant has been where it is all the time.
 * @throws conflict `MOVE_PAST_RETURN` (exit 5) after it
 */
export async function abortMove(drive: Drive, reason: string | null): Promise<void> {
  const { fleet, source, target, move, id } = drive;
  assertBeforeReturn(move);
  if (move.state === 'aborted') return;
  drive.say('frees the old home and removes the new one');
  const { cluster, database } = source.home.placement;
  await removeHelpers(drive, source);
  await fleet.managed(cluster, database, (session) =>
    session.execute(sql`
      update tenantctl.placement set status = 'active', state = case state when 'moving' then 'active' else state end, changed_at = now()
       where ${placementOf(source.home)}`),
  );
  fleet.reach('abort.source-freed');
  // Nobody ever lived in what this move has made.
  const made = await target.driver.inspect(fleet, target.home);
  if (made.state === 'present' && made.admission === 'making') await removeCopy(drive, target, source);
  fleet.reach('abort.target-dropped');
  await drive.step('aborted', { note: reason }, [
    statusUpdate(move.tenant, 'active'),
    unitForget(target.unit.id),
    auditInsert(fleet.actor, {
      action: 'tenant.move-aborted',
      tenant: move.tenant,
      unit: source.unit.id,
      details: { move: id, reason },
    }),
  ]);
}

/** @throws conflict `MOVE_PAST_RETURN` (exit 5) */
export function assertBeforeReturn({ move, tenant, state }: MoveReport): void {
  if (!isPastReturn(state)) return;
  throw conflictError(
    'MOVE_PAST_RETURN',
    `Tenant ${tenant} lives at its new home already, so move ${shortId(move)} cannot be aborted.`,
    {
      hint: '`tenantctl moves resume` finishes it; in the grace period `tenantctl moves undo` brings the tenant back.',
      facts: { move, tenant, state },
    },
  );
}
