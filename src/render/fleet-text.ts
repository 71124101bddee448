import type { Colors } from './colors.js';
import { recordsSection, recordsTable, recordText, sections } from './records.js';

/** What `status` knows of the fleet; each part is a list of records of its own shape. */
export interface FleetStatusView {
  tiers: object;
  versions: readonly object[];
  behind: readonly object[];
  runs: readonly object[];
  moves: readonly object[];
  due: readonly object[];
}

/** The fleet at a glance. */
export function fleetStatusText(status: FleetStatusView, colors: Colors): string {
  const { tiers, behind } = status;
  return sections(
    Array.isArray(tiers) ? recordsTable(tiers as object[]) : recordText(tiers),
    recordsSection('Versions', status.versions),
    behind.length === 0 ? colors.green('nothing is behind') : recordsSection('Behind', behind),
    recordsSection('Unfinished runs', status.runs),
    recordsSection('Moves', status.moves),
    recordsSection('Due', status.due),
  );
}
