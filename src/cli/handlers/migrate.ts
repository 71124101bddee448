import { parseSelectors } from '../../core/selector.js';
import { migrate } from '../../operations/migrate.js';
import type { Call, Outcome } from '../command.js';
import type { migrate as declaration } from '../commands/migrate.js';
import { given } from '../given.js';
import { runOutcome } from '../run-outcome.js';

export default async function handle({ fleet, options }: Call<typeof declaration>): Promise<Outcome> {
  const { to, concurrency, onFailure, wave, contract, allowDataLoss, wait, allowEmpty, dryRun } = options;
  const request = {
    select: parseSelectors(options.select),
    contract,
    allowDataLoss,
    wait,
    allowEmpty,
    dryRun,
    ...given({ to, concurrency, onFailure, wave }),
  };
  return runOutcome(await migrate(fleet, request));
}
