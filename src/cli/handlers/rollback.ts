import { usageError } from '../../core/errors.js';
import { parseSelectors } from '../../core/selector.js';
import { rollback } from '../../operations/rollback.js';
import type { Call, Outcome } from '../command.js';
import type { rollback as declaration } from '../commands/rollback.js';
import { given } from '../given.js';
import { drivenRun } from '../run-outputs.js';

export default async function handle(call: Call<typeof declaration>): Promise<Outcome> {
  const { fleet, options } = call;
  const { to, run, concurrency, allowDataLoss, wait, dryRun } = options;
  if ((to === undefined) === (run === undefined)) {
    throw usageError('ROLLBACK_TARGET', 'Say how far back: either --to <migration> or --run <run>.', {
      hint: '`tenantctl runs list` shows the runs, `tenantctl status` the versions.',
    });
  }
  const select = parseSelectors(options.select);
  const request = { select, allowDataLoss, wait, dryRun, ...given({ to, run, concurrency }) };
  return drivenRun(call, options.junit, () => rollback(fleet, request));
}
