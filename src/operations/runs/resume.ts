import type { RunReport } from '../../core/report.js';
import { auditInsert } from '../../engine/catalog/audit.js';
import { decisionInsert, forgiveUpdate } from '../../engine/catalog/run-control.js';
import type { Fleet } from '../../engine/context.js';
import { conductRun } from './conduct.js';
import { requireFrozenFiles } from './load.js';
import { withRunLock } from './lock.js';
import { readReport } from './report.js';
import { pickRun, requireUnfinished } from './pick.js';

/**
 * Goes on with a run that was paused, interrupted, halted or left waiting, or whose process was killed.
 * Units that failed stay failed and are known: they do not count against the budget once more.
 * @throws conflict (exit 5) when it has finished or another process drives it · configuration error
 *   `RUN_FILES_CHANGED` (exit 3)
 */
export async function resumeRun(
  fleet: Fleet,
  wanted: string | undefined,
  { wait, dryRun }: { wait: boolean; dryRun: boolean },
): Promise<RunReport> {
  return withRunLock(fleet, async (connection) => {
    const run = await pickRun(connection, wanted);
    requireUnfinished(run);
    const { actor } = fleet.actor;
    // A killed process leaves a run that is running: its failures were never looked at by a person.
    const seen = run.status === 'paused';
    if (dryRun) return readReport(connection, run.id);
    await requireFrozenFiles(fleet, connection, run);
    await connection.atomically([
      ...(seen ? [forgiveUpdate(run.id)] : []),
      decisionInsert(run.id, 'resumed', `by ${actor}`),
      auditInsert(fleet.actor, { action: 'run.resume', run: run.id }),
    ]);
    return conductRun(fleet, connection, run, { wait, through: null });
  });
}
