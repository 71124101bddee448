import { EXIT, partialError, TenantctlError } from '../core/errors.js';
import type { RunReport } from '../core/report.js';
import { count, counted } from '../render/line.js';

/** Why a run is not simply done, as the exit code tells it; undefined when it is. */
export function runFailure({ status, totals, run }: RunReport): TenantctlError | undefined {
  const facts = { run, failed: totals.failed, pending: totals.pending };
  if (status === 'paused' && totals.failed === 0) {
    return new TenantctlError(
      'RUN_PAUSED',
      EXIT.waiting,
      `The run is paused with ${counted(totals.pending, 'unit')} to go.`,
      {
        hint: 'The same command again goes on where it stopped.',
        facts,
      },
    );
  }
  if (status === 'succeeded' && totals.failed === 0) return undefined;
  const left = totals.pending > 0 ? `, ${count(totals.pending)} not visited` : '';
  return partialError('RUN_PARTIAL', `${counted(totals.failed, 'unit')} failed${left}.`, {
    hint: 'Repair what the failures name and run the same command again.',
    facts,
  });
}
