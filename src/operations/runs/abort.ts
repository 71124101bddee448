import { auditInsert } from '../../engine/catalog/audit.js';
import { decisionInsert, runStatusUpdate } from '../../engine/catalog/run-control.js';
import type { Fleet } from '../../engine/context.js';
import { type RunLine, runLine } from './line.js';
import { pickRun, requireUnfinished } from './pick.js';

/**
 * Gives a run up: units that have begun end, no other starts, and it cannot be resumed. What it applied stays
 * applied.
 * @throws conflict (exit 5) when there is no such run or it has finished
 */
export async function abortRun(fleet: Fleet, wanted: string | undefined, dryRun: boolean): Promise<RunLine> {
  return fleet.catalog(async (connection) => {
    const run = await pickRun(connection, wanted);
    requireUnfinished(run);
    const { actor, reason: why } = fleet.actor;
    const reason = `aborted by ${actor}${why === null ? '' : `: ${why}`}`;
    if (!dryRun)
      await connection.atomically([
        runStatusUpdate(run.id, 'aborted', reason),
        decisionInsert(run.id, 'aborted', reason),
        auditInsert(fleet.actor, { action: 'run.abort', run: run.id }),
      ]);
    return runLine({ ...run, status: 'aborted', reason });
  });
}
