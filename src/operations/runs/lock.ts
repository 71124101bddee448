import { shortId } from '../../core/short-id.js';
import { conflictError } from '../../core/errors.js';
import { type StoredRun, unfinishedRun } from '../../engine/catalog/runs.js';
import type { Fleet } from '../../engine/context.js';
import type { Connection } from '../../pg/connection.js';
import { isHeld, tryWithLock } from '../../pg/locks.js';
import { describeRun } from './pick.js';

/** Whether a process drives a run now. */
export function isDriven(connection: Connection): Promise<boolean> {
  return isHeld(connection, 'cluster', 'run');
}

/**
 * Drives runs one at a time: the lock dies with the process, so a killed one is in nobody's way. Should the
 * catalog go away meanwhile, the units' own locks still keep two drivers apart.
 * @throws conflict `RUN_IN_PROGRESS` (exit 5) when another process drives a run of this fleet
 */
export async function withRunLock<T>(fleet: Fleet, work: (connection: Connection) => Promise<T>): Promise<T> {
  return fleet.catalogHeld(async (connection) => {
    const done = await tryWithLock(connection, 'cluster', 'run', () => work(connection));
    if (done !== undefined) return done.value;
    throw inProgress(await unfinishedRun(connection));
  });
}

/** @param run the unfinished one; the other process drives it, unless it is still planning */
function inProgress(run: StoredRun | undefined) {
  if (run?.status !== 'running')
    return conflictError('RUN_IN_PROGRESS', 'Another process is about to drive a run on this fleet.', {
      hint: '`tenantctl runs watch` follows it in a moment; repeat this when it has ended.',
      facts: { run: null },
    });
  const { id, kind, actor, startedAt } = run;
  const short = shortId(id);
  const what = `run ${short} (${describeRun(run)}, by ${actor}, since ${startedAt})`;
  return conflictError('RUN_IN_PROGRESS', `Another process drives ${what} on this fleet.`, {
    hint: `\`tenantctl runs watch ${short}\` follows it; \`tenantctl runs pause ${short}\` lets it drain.`,
    facts: { run: id, kind, actor, startedAt },
  });
}
