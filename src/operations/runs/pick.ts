import { shortId } from '../../core/short-id.js';
import { conflictError } from '../../core/errors.js';
import { type StoredRun, findRun, runsCalled } from '../../engine/catalog/runs.js';
import type { Connection } from '../../pg/connection.js';

/**
 * The run that a person means: by the beginning of its id, otherwise the unfinished one, otherwise the latest.
 * @throws conflict `RUN_UNKNOWN` or `RUN_AMBIGUOUS` (exit 5)
 */
export async function pickRun(connection: Connection, wanted: string | undefined): Promise<StoredRun> {
  const run = wanted === undefined ? await findRun(connection, null) : await findOne(connection, wanted);
  if (run !== undefined) return run;
  throw conflictError(
    'RUN_UNKNOWN',
    wanted === undefined ? 'There has been no run yet.' : `There is no run ${wanted}.`,
    {
      hint: '`tenantctl runs list` shows them.',
    },
  );
}

/**
 * The run whose id begins so, or undefined.
 * @throws conflict `RUN_AMBIGUOUS` (exit 5) when those of several runs do
 */
export async function findOne(connection: Connection, wanted: string): Promise<StoredRun | undefined> {
  const ids = await runsCalled(connection, wanted);
  if (ids.length < 2) return findRun(connection, wanted);
  throw conflictError(
    'RUN_AMBIGUOUS',
    `The ids of ${ids.length} runs begin with ${wanted}: ${ids.map(shortId).join(', ')}.`,
    {
      hint: 'Give more of the id; `tenantctl runs list` shows them.',
      facts: { runs: ids },
    },
  );
}

/** @throws conflict `RUN_FINISHED` (exit 5) */
export function requireUnfinished({ id, status, finishedAt }: StoredRun): void {
  if (finishedAt === null) return;
  throw conflictError('RUN_FINISHED', `Run ${shortId(id)} has finished: it ${endOf(status) ?? status}.`, {
    hint:
      status === 'failed' || status === 'partial'
        ? `\`tenantctl runs retry ${shortId(id)}\` tries its failed units again; \`tenantctl migrate\` begins a new run.`
        : '`tenantctl migrate` begins a new run.',
    facts: { run: id, status },
  });
}

const ENDED: Readonly<Record<string, string>> = {
  succeeded: 'succeeded',
  failed: 'failed',
  partial: 'succeeded in part',
  aborted: 'was aborted',
};

/** How a run has ended, to go on after "it"; undefined while it has not. */
export function endOf(status: string): string | undefined {
  return ENDED[status];
}

/** `migrate to 0014_note`, `rollback` */
export function describeRun({ kind, target }: StoredRun): string {
  return `${kind}${target === null ? '' : ` to ${target.name}`}`;
}
