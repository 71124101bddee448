import { shortId } from '../../core/short-id.js';
import { conflictError } from '../../core/errors.js';
import { auditInsert } from '../../engine/catalog/audit.js';
import { approval, decisionInsert } from '../../engine/catalog/run-control.js';
import { readWaves } from '../../engine/catalog/runs.js';
import type { Fleet } from '../../engine/context.js';
import { pickRun, requireUnfinished } from './pick.js';

/**
 * Lets a run pass on from the wave that waits for approval. A process that waits there goes on by itself;
 * otherwise `resume` does.
 * @throws conflict `NOTHING_TO_APPROVE` (exit 5): a gate is approved after its wave was seen, not before
 */
export async function approveRun(
  fleet: Fleet,
  wanted: string | undefined,
  dryRun: boolean,
): Promise<{ run: string; wave: string }> {
  return fleet.catalog(async (connection) => {
    const run = await pickRun(connection, wanted);
    requireUnfinished(run);
    const waves = await readWaves(connection, run.id);
    const waiting = waves.find(
      ({ status, approvedBy }) => status === 'awaiting-approval' && approvedBy === null,
    );
    if (waiting === undefined) throw nothingToApprove(run.id);
    const { actor, reason } = fleet.actor;
    if (!dryRun)
      await connection.atomically([
        approval(run.id, waiting.ordinal, actor),
        decisionInsert(
          run.id,
          'approved',
          `wave ${waiting.name} by ${actor}${reason === null ? '' : `: ${reason}`}`,
        ),
        auditInsert(fleet.actor, { action: 'run.approve', run: run.id, details: { wave: waiting.name } }),
      ]);
    return { run: run.id, wave: waiting.name };
  });
}

function nothingToApprove(run: string) {
  return conflictError('NOTHING_TO_APPROVE', `No wave of run ${shortId(run)} waits for approval.`, {
    hint: `\`tenantctl runs show ${shortId(run)}\` tells where it is.`,
    facts: { run },
  });
}
