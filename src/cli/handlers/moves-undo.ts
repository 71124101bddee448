import { movesUndo } from '../../operations/moves/verbs.js';
import type { Call, Outcome } from '../command.js';
import type { movesUndo as declaration } from '../commands/moves.js';
import { given } from '../given.js';
import { moveOutcome } from '../move-outcome.js';

export default async function handle({
  fleet,
  global,
  arguments: { move },
  options,
}: Call<typeof declaration>): Promise<Outcome> {
  const { wait, dryRun, maxPause } = options;
  const how = { wait, dryRun, ...given({ maxPauseMs: maxPause }) };
  return moveOutcome(await movesUndo(fleet, move, how), global);
}
