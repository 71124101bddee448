import { EXIT, partialError, TenantctlError } from '../core/errors.js';
import { type RunReport, isHalted } from '../core/report.js';
import { count, counted } from '../render/line.js';

/** Why a run is not simply done, as the exit code tells it; undefined when it is. */
export function runFailure(report: RunReport): TenantctlError | undefined {
  const { status, totals, run, reason } = report;
  const facts = { run, failed: totals.failed, pending: totals.pending };
  if (status === 'waiting')
    return waiting('RUN_WAITING', `The run waits: ${reason ?? 'its turn has not come'}.`, report);
  if (isHalted(report) && totals.failed === 0) return halted(report);
  if (status === 'paused' && totals.failed === 0)
    return waiting('RUN_PAUSED', `The run is paused with ${counted(totals.pending, 'unit')} to go.`, report);
  if (status === 'succeeded' && totals.failed === 0) return undefined;
  const left = totals.pending > 0 ? `, ${count(totals.pending)} not visited` : '';
  const back = totals.rolledBack > 0 ? `, ${count(totals.rolledBack)} rolled back` : '';
  return partialError('RUN_PARTIAL', `${counted(totals.failed, 'unit')} failed${back}${left}.`, {
    hint: 'Repair what the failures name and run the same command again; `tenantctl runs explain` tells more.',
    facts,
  });
}

/** No unit failed, but one of them does not stand its health check. */
function halted({ run, totals, reason }: RunReport): TenantctlError {
  return partialError('RUN_HALTED', `The run is ${reason}.`, {
    hint: '`tenantctl runs resume` asks the checks again, and goes on when they hold; `tenantctl runs explain` tells more.',
    facts: { run, failed: totals.failed, pending: totals.pending },
  });
}

function waiting(code: string, message: string, { run, totals }: RunReport): TenantctlError {
  return new TenantctlError(code, EXIT.waiting, message, {
    hint: 'The same command again goes on where it stopped; `tenantctl runs explain` tells what it waits for.',
    facts: { run, failed: totals.failed, pending: totals.pending },
  });
}
