import type { RunReport } from '../../core/report.js';
import type { Fleet } from '../../engine/context.js';
import { pickRun } from './pick.js';
import { readReport } from './report.js';

/** The report of one run, as it stands now. @throws conflict `RUN_UNKNOWN` (exit 5) */
export async function showRun(fleet: Fleet, wanted: string | undefined): Promise<RunReport> {
  return fleet.catalog(async (connection) => readReport(connection, (await pickRun(connection, wanted)).id));
}
