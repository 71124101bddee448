import { shortId } from '../../core/short-id.js';
import { unfinishedRun } from '../../engine/catalog/runs.js';
import type { Fleet } from '../../engine/context.js';
import { isDriven } from '../runs/lock.js';
import type { DoctorFinding } from './rule.js';

/** A run that says that it is being driven, while nobody holds the lock of its driver: that process is dead. */
export async function stuckRuns(fleet: Fleet): Promise<DoctorFinding[]> {
  return fleet.catalog(async (catalog) => {
    const run = await unfinishedRun(catalog);
    if (run?.status !== 'running' || (await isDriven(catalog))) return [];
    const id = shortId(run.id);
    return [
      {
        rule: 'run-stuck',
        level: 'warning',
        where: `run ${id}`,
        message: `it was begun at ${run.startedAt} by ${run.actor}, is not finished, and no process drives it; no other run can begin`,
        hint: `\`tenantctl runs resume ${id}\` goes on with it; \`tenantctl runs abort ${id}\` ends it where it stands.`,
        facts: { run: run.id, kind: run.kind },
      },
    ];
  });
}
