import { auditInsert } from '../../engine/catalog/audit.js';
import { decisionInsert, runStatusUpdate } from '../../engine/catalog/run-control.js';
import type { Fleet } from '../../engine/context.js';
import { type RunLine, runLine } from './line.js';
import { pickRun, requireUnfinished } from './pick.js';

/**
 * Pauses a run: units that have begun end, no other starts, until somebody resumes it.
 * @throws conflict (exit 5) when there is no such run or it has finished
 */
export async function pauseRun(fleet: Fleet, wanted: string | undefined, dryRun: boolean): Promise<RunLine> {
  return fleet.catalog(async (connection) => {
    const run = await pickRun(connection, wanted);
    requireUnfinished(run);
    const { actor, reason: why } = fleet.actor;
    const reason = `paused by ${actor}${why === null ? '' : `: ${why}`}`;
    if (!dryRun)
      await connection.atomically([
        runStatusUpdate(run.id, 'paused', reason),
        decisionInsert(run.id, 'paused', reason),
        auditInsert(fleet.actor, { action: 'run.pause', run: run.id }),
      ]);
    return runLine({ ...run, status: 'paused', reason });
  });
}
