import { partialError, usageError } from '../../core/errors.js';
import { type CompletedMoves, completeDue, movesDue } from '../../operations/moves/due.js';
import { movesComplete } from '../../operations/moves/verbs.js';
import { counted } from '../../core/counted.js';
import { completedMovesText, dueMovesText } from '../../render/move-text.js';
import type { Call, Outcome } from '../command.js';
import type { movesComplete as declaration } from '../commands/moves.js';
import { given } from '../given.js';
import { moveOutcome } from '../move-outcome.js';

type CompleteCall = Call<typeof declaration>;

export default async function handle(call: CompleteCall): Promise<Outcome> {
  const { fleet, global, options } = call;
  const { move } = call.arguments;
  if (!options.due) return moveOutcome(await movesComplete(fleet, move, options), global);
  if (move !== undefined)
    throw usageError('MOVES_USAGE', '--due completes every move that is due; it takes no move.', {
      facts: { option: '--due' },
    });
  return options.dryRun ? whatIsDue(call) : completeAll(call);
}

async function whatIsDue({ fleet }: CompleteCall): Promise<Outcome> {
  const data = await movesDue(fleet);
  return { data, text: () => dueMovesText(data.due) };
}

async function completeAll({ fleet }: CompleteCall): Promise<Outcome> {
  const data = await completeDue(fleet);
  const { completed, failed } = data;
  return { data, text: () => completedMovesText(completed, failed), ...given({ failure: failureOf(data) }) };
}

function failureOf({ failed }: CompletedMoves) {
  if (failed.length === 0) return undefined;
  return partialError('MOVES_PARTIAL', `${counted(failed.length, 'move')} could not be completed.`, {
    hint: 'Each names its reason; the same command tries them again. Their old copies are still there.',
    facts: { moves: failed.map(({ move }) => move) },
  });
}
