import { type TenantctlError, conflictError, partialError } from '../../core/errors.js';
import { type MoveReport, standingOf } from '../../core/move.js';
import { type WatchedMove, watchMove } from '../../operations/moves/watch.js';
import type { Call, Outcome } from '../command.js';
import type { movesWatch } from '../commands/moves.js';
import { given } from '../given.js';
import { moveOutcome } from '../move-outcome.js';

export default async function handle({
  fleet,
  global,
  arguments: { move },
}: Call<typeof movesWatch>): Promise<Outcome> {
  const watched = await watchMove(fleet, move);
  return { ...moveOutcome(watched.report, global), ...given({ failure: failureOf(watched) }) };
}

/** Whoever waits for a move wants to know that it did not arrive. */
function failureOf({ report, settled }: WatchedMove): TenantctlError | undefined {
  if (!settled) return notDriven(report);
  return report.state === 'aborted' ? aborted(report) : undefined;
}

function notDriven({ move, tenant, state }: MoveReport): TenantctlError {
  return partialError(
    'MOVE_NOT_DRIVEN',
    `Nobody drives the move of tenant ${tenant}; it is ${standingOf(state)}.`,
    {
      hint: `\`tenantctl moves resume ${tenant}\` goes on with it.`,
      facts: { move, tenant, state },
    },
  );
}

function aborted({ move, tenant }: MoveReport): TenantctlError {
  return conflictError('MOVE_ABORTED', `The move of tenant ${tenant} was aborted; it is where it was.`, {
    facts: { move, tenant },
  });
}
