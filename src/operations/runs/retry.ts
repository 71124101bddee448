import { shortId } from '../../core/short-id.js';
import { conflictError } from '../../core/errors.js';
import type { RunReport } from '../../core/report.js';
import { auditInsert } from '../../engine/catalog/audit.js';
import { decisionInsert, retryUpdates } from '../../engine/catalog/run-control.js';
import { type StoredRun, unfinishedRun } from '../../engine/catalog/runs.js';
import type { Fleet } from '../../engine/context.js';
import type { Connection } from '../../pg/connection.js';
import { conductRun } from './conduct.js';
import { requireFrozenFiles } from './load.js';
import { withRunLock } from './lock.js';
import { readReport } from './report.js';
import { pickRun, requireUnfinished } from './pick.js';

/**
 * Tries the failed units of a run again and goes on with it; a run that ended with failures is opened once
 * more.
 * @throws conflict (exit 5) when it succeeded or was aborted, another run is unfinished, or another process
 *   drives it
 */
export async function retryRun(
  fleet: Fleet,
  wanted: string | undefined,
  { wait, dryRun }: { wait: boolean; dryRun: boolean },
): Promise<RunReport> {
  return withRunLock(fleet, async (connection) => {
    const run = await pickRun(connection, wanted);
    if (run.status !== 'partial' && run.status !== 'failed') requireUnfinished(run);
    else await refuseOther(connection, run);
    if (dryRun) return readReport(connection, run.id);
    await requireFrozenFiles(fleet, connection, run);
    await connection.atomically([
      ...retryUpdates(run.id),
      decisionInsert(run.id, 'resumed', `failed units are tried again, by ${fleet.actor.actor}`),
      auditInsert(fleet.actor, { action: 'run.retry', run: run.id }),
    ]);
    return conductRun(fleet, connection, run, { wait, through: null });
  });
}

async function refuseOther(connection: Connection, run: StoredRun): Promise<void> {
  const other = await unfinishedRun(connection);
  if (other === undefined) return;
  throw conflictError(
    'RUN_UNFINISHED',
    `Run ${shortId(other.id)} has not finished; only one run is open at a time.`,
    {
      hint: `\`tenantctl runs resume ${shortId(other.id)}\` finishes it; then retry ${shortId(run.id)}.`,
      facts: { run: other.id },
    },
  );
}
