import { movesShow } from '../../operations/moves/list.js';
import type { Call, Outcome } from '../command.js';
import type { movesShow as declaration } from '../commands/moves.js';
import { moveOutcome } from '../move-outcome.js';

export default async function handle({
  fleet,
  global,
  arguments: { move },
}: Call<typeof declaration>): Promise<Outcome> {
  return moveOutcome(await movesShow(fleet, move), global);
}
