import { shortId } from '../../core/short-id.js';
import { conflictError, usageError } from '../../core/errors.js';
import { auditInsert } from '../../engine/catalog/audit.js';
import { decisionInsert, skipUpdate } from '../../engine/catalog/run-control.js';
import { readRunUnits } from '../../engine/catalog/run-units.js';
import type { Fleet } from '../../engine/context.js';
import { pickRun, requireUnfinished } from './pick.js';

/**
 * Lets a run pass a unit that needs surgery; it stays behind and the next run finds it.
 * @throws usage error `REASON_MISSING` (exit 2) · conflict (exit 5) when the run has finished, or the unit is
 *   not part of it, has been done, or is at work
 */
export async function skipUnit(
  fleet: Fleet,
  unit: string,
  wanted: string | undefined,
  dryRun: boolean,
): Promise<{ run: string; unit: string; reason: string }> {
  const { reason, actor } = fleet.actor;
  if (reason === null)
    throw usageError('REASON_MISSING', 'Skipping a unit needs a reason.', {
      hint: `tenantctl runs skip ${unit} --reason "…"`,
    });
  return fleet.catalog(async (connection) => {
    const run = await pickRun(connection, wanted);
    requireUnfinished(run);
    const known = (await readRunUnits(connection, run.id)).find((row) => row.unit === unit);
    if (known === undefined || !['pending', 'failed'].includes(known.status))
      throw conflictError(
        'UNIT_NOT_SKIPPED',
        known === undefined
          ? `${unit} is not part of run ${shortId(run.id)}.`
          : `${unit} is ${known.status} in run ${shortId(run.id)}; only what is pending or failed can be skipped.`,
        {
          hint: `\`tenantctl runs explain ${shortId(run.id)}\` tells where each unit is.`,
          facts: { unit, run: run.id },
        },
      );
    const words = `skipped by ${actor}: ${reason}`;
    if (!dryRun)
      await connection.atomically([
        skipUpdate(run.id, unit, words),
        decisionInsert(run.id, 'skipped', `${unit} ${words}`, { unit }),
        auditInsert(fleet.actor, { action: 'run.skip', run: run.id, unit }),
      ]);
    return { run: run.id, unit, reason: words };
  });
}
