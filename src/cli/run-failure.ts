import { shortId } from '../core/short-id.js';
import { EXIT, partialError, TenantctlError } from '../core/errors.js';
import { type RunReport, isHalted } from '../core/report.js';

import { count, counted } from '../core/counted.js';

/** Why a run is not simply done, as the exit code tells it; undefined when it is. */
export function runFailure(report: RunReport): TenantctlError | undefined {
  const { status, totals } = report;
  if (status === 'waiting') return waits(report);
  if (isHalted(report) && totals.failed === 0) return halted(report);
  if (status === 'paused' && totals.failed === 0) return paused(report);
  if (status === 'succeeded' && totals.failed === 0) return undefined;
  const left = totals.pending > 0 ? `, ${count(totals.pending)} not visited` : '';
  const back = totals.rolledBack > 0 ? `, ${count(totals.rolledBack)} rolled back` : '';
  return partialError('RUN_PARTIAL', `${counted(totals.failed, 'unit')} failed${back}${left}.`, {
    hint: hintAfterFailure(report),
    facts: factsOf(report),
  });
}

function hintAfterFailure({ run, status, pools }: RunReport): string {
  if (run === null || pools !== undefined)
    return 'Repair what the failures name and run the same command again.';
  if (status === 'aborted')
    return `\`tenantctl runs explain ${shortId(run)}\` tells more; a new run begins anew.`;
  return `Repair what the failures name, then \`tenantctl runs retry ${shortId(run)}\`; \`tenantctl runs explain ${shortId(run)}\` tells more.`;
}

/** No unit failed, but one of them does not stand its health check. */
function halted(report: RunReport): TenantctlError {
  const { resume, explain } = commandsFor(report);
  return partialError('RUN_HALTED', `The run is ${report.reason}.`, {
    hint: `${resume} asks the checks again, and goes on when they hold; ${explain} tells more.`,
    facts: factsOf(report),
  });
}

/** Whoever asks may only be watching, so that the same command again would do nothing. */
function waits(report: RunReport): TenantctlError {
  const { totals, reason, waves } = report;
  const { approve, resume } = commandsFor(report);
  const how = totals.failed === 0 ? 'is well and waits' : 'waits';
  const asked = waves.some(({ status }) => status === 'awaiting-approval');
  return new TenantctlError(
    'RUN_WAITING',
    EXIT.waiting,
    `The run ${how}: ${reason ?? 'its turn has not come'}.`,
    {
      hint: asked
        ? `${approve} lets it pass, then ${resume} goes on.`
        : `${resume} goes on when that is over; with --wait it stays until then.`,
      facts: factsOf(report),
    },
  );
}

function paused(report: RunReport): TenantctlError {
  const { resume, explain } = commandsFor(report);
  const why = report.reason === null ? '' : ` (${report.reason})`;
  const message = `The run is paused${why} with ${counted(report.totals.pending, 'unit')} to go.`;
  return new TenantctlError('RUN_PAUSED', EXIT.waiting, message, {
    hint: `${resume} goes on; ${explain} tells more.`,
    facts: factsOf(report),
  });
}

function factsOf({ run, totals }: RunReport) {
  return { run, failed: totals.failed, pending: totals.pending };
}

function commandsFor({ run }: RunReport) {
  const command = (verb: string) => `\`tenantctl runs ${verb}${run === null ? '' : ` ${shortId(run)}`}\``;
  return { approve: command('approve'), resume: command('resume'), explain: command('explain') };
}
