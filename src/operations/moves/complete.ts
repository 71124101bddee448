import { shortId } from '../../core/short-id.js';
import { conflictError } from '../../core/errors.js';
import type { MoveReport } from '../../core/move.js';
import { auditInsert } from '../../engine/catalog/audit.js';
import { unitForget } from '../../engine/catalog/places.js';
import { assertHoldsKnown, whileNotHeld } from '../retention/hold.js';
import type { Drive } from './drive.js';
import { removeCopy, removeHelpers } from './clean-up.js';

/**
 * Ends the grace period: the old copy is deleted, and with it the way back.
 * @throws conflict `MOVE_GOING_BACK` (exit 5) while the move is being undone · `MOVE_NOT_IN_GRACE` (exit 5) ·
 *   `TENANT_ON_HOLD` or `HOLD_UNKNOWN` (exit 5) while a legal hold stands: the old copy is kept
 */
export async function completeMove(drive: Drive): Promise<void> {
  const { fleet, source, target, move, id } = drive;
  assertInGrace(move);
  for (const { home } of [source, target]) await assertHoldsKnown(fleet, home);
  drive.say('deletes the old copy');
  // Rows that the tenant has deleted since it moved are there and nowhere else.
  const deleted = await whileNotHeld(fleet, move.tenant, () => removeCopy(drive, source, target));
  await removeHelpers(drive, target);
  fleet.reach('move.cleaned');
  await drive.step('completed', { note: null }, [
    unitForget(source.unit.id),
    auditInsert(fleet.actor, {
      action: 'tenant.move-completed',
      tenant: move.tenant,
      unit: source.unit.id,
      details: { move: id, from: move.from, deleted, remaining: await remaining(drive) },
    }),
  ]);
}

/** What the old home answers now: the proof that nothing is left there. */
async function remaining({ fleet, source }: Drive): Promise<string> {
  return (await source.driver.inspect(fleet, source.home)).state;
}

/**
 * Only then is the old home a copy, and nothing else.
 * @throws conflict `MOVE_GOING_BACK` or `MOVE_NOT_IN_GRACE` (exit 5)
 */
export function assertInGrace({ move, tenant, state, undo }: MoveReport): void {
  const facts = { move, tenant, state };
  if (state === 'grace' && undo !== null)
    throw conflictError('MOVE_GOING_BACK', `Move ${shortId(move)} of tenant ${tenant} is being undone.`, {
      hint: '`tenantctl moves resume` finishes that.',
      facts,
    });
  if (state === 'grace') return;
  throw conflictError(
    'MOVE_NOT_IN_GRACE',
    `Move ${shortId(move)} of tenant ${tenant} is ${state}; only one in its grace period can be completed.`,
    { hint: `\`tenantctl moves show ${shortId(move)}\` says what can be done with it.`, facts },
  );
}
