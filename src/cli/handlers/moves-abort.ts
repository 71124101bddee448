import { movesAbort } from '../../operations/moves/verbs.js';
import type { Call, Outcome } from '../command.js';
import type { movesAbort as declaration } from '../commands/moves.js';
import { moveOutcome } from '../move-outcome.js';

export default async function handle({
  fleet,
  global,
  arguments: { move },
  options,
}: Call<typeof declaration>): Promise<Outcome> {
  return moveOutcome(await movesAbort(fleet, move, options), global);
}
