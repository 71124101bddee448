import { shortId } from '../../core/short-id.js';
import { isDeepStrictEqual } from 'node:util';
import { conflictError } from '../../core/errors.js';
import type { RunReport } from '../../core/report.js';
import { auditInsert } from '../../engine/catalog/audit.js';
import { decisionInsert, readDecisions, retryUpdates } from '../../engine/catalog/run-control.js';
import { type StoredRun, unfinishedRun } from '../../engine/catalog/runs.js';
import type { Fleet } from '../../engine/context.js';
import type { Connection } from '../../pg/connection.js';
import { type ConductOptions, conductRun } from './conduct.js';
import { requireFrozenFiles } from './load.js';
import { describeRun } from './pick.js';
import { type PreparedRun, filesHashOf } from './prepared.js';

/**
 * The unfinished run that a new one would be the same as; null when no run is unfinished.
 * @throws conflict `RUN_UNFINISHED` (exit 5) for a run of other files, another selection or another kind
 * @throws configuration error `RUN_FILES_CHANGED` (exit 3) when a file of that run was edited
 * @throws conflict `RUN_PAUSED_BY` (exit 5) for one that a person has paused: only a person resumes it
 */
export async function joinable(
  fleet: Fleet,
  connection: Connection,
  prepared: PreparedRun,
): Promise<StoredRun | null> {
  const run = await unfinishedRun(connection);
  if (run === undefined) return null;
  if (!isSame(run, prepared)) {
    await requireFrozenFiles(fleet, connection, run);
    throw unfinished(run);
  }
  await refusePaused(connection, run);
  return run;
}

/** Goes on with an unfinished run: what failed is tried again. */
export async function joinRun(
  fleet: Fleet,
  connection: Connection,
  run: StoredRun,
  options: ConductOptions,
): Promise<RunReport> {
  await connection.atomically([
    ...retryUpdates(run.id),
    decisionInsert(run.id, 'resumed', `joined by ${fleet.actor.actor}`),
    auditInsert(fleet.actor, {
      action: `run.${run.kind}`,
      phase: 'intent',
      run: run.id,
      details: { joined: true },
    }),
  ]);
  return conductRun(fleet, connection, run, options);
}

function isSame({ kind, filesHash, selection, ofRun }: StoredRun, prepared: PreparedRun): boolean {
  const same = kind === prepared.kind && ofRun === prepared.ofRun && filesHash === filesHashOf(prepared);
  return same && isDeepStrictEqual(selection, prepared.selection);
}

function unfinished(run: StoredRun) {
  const { id, status } = run;
  const short = shortId(id);
  return conflictError(
    'RUN_UNFINISHED',
    `Run ${short} (${describeRun(run)}) is ${status} and has not finished; this one would be another.`,
    {
      hint: `\`tenantctl runs resume ${short}\` finishes it, \`tenantctl runs abort ${short}\` gives it up.`,
      facts: { run: id, status },
    },
  );
}

async function refusePaused(connection: Connection, { id, status }: StoredRun): Promise<void> {
  const last = (await readDecisions(connection, id)).findLast(({ decision }) =>
    ['paused', 'resumed', 'halted'].includes(decision),
  );
  if (status !== 'paused' || last?.decision !== 'paused') return;
  const short = shortId(id);
  throw conflictError('RUN_PAUSED_BY', `Run ${short} was paused: ${last.reason}.`, {
    hint: `\`tenantctl runs resume ${short}\` goes on with it.`,
    facts: { run: id },
  });
}
