import { watchRun } from '../../operations/runs/watch.js';
import type { Call, Outcome } from '../command.js';
import type { runsWatch } from '../commands/runs.js';
import { runOutcome } from '../run-outcome.js';

export default async function handle({
  fleet,
  arguments: { run },
}: Call<typeof runsWatch>): Promise<Outcome> {
  return runOutcome(await watchRun(fleet, run));
}
