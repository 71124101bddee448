import { usageError } from '../../core/errors.js';
import { parseSelectors } from '../../core/selector.js';
import { rollback } from '../../operations/rollback.js';
import type { Call, Outcome } from '../command.js';
import type { rollback as declaration } from '../commands/rollback.js';
import { given } from '../given.js';
import { runOutcome } from '../run-outcome.js';

export default async function handle({ fleet, options }: Call<typeof declaration>): Promise<Outcome> {
  const { to, run, concurrency, allowDataLoss, wait, dryRun } = options;
  if ((to === undefined) === (run === undefined)) {
    throw usageError('ROLLBACK_TARGET', 'Say how far back: either --to <migration> or --run <run>.', {
      hint: '`tenantctl runs list` shows the runs, `tenantctl status` the versions.',
    });
  }
  const select = parseSelectors(options.select);
  return runOutcome(
    await rollback(fleet, { select, allowDataLoss, wait, dryRun, ...given({ to, run, concurrency }) }),
  );
}
