import { listRuns } from '../../engine/catalog/runs.js';
import type { Fleet } from '../../engine/context.js';
import { type RunLine, runLine } from './line.js';

/** The runs of the fleet, the newest first. */
export async function listFleetRuns(fleet: Fleet, limit: number): Promise<{ runs: RunLine[] }> {
  const runs = await fleet.catalog((connection) => listRuns(connection, limit));
  return { runs: runs.map(runLine) };
}
