import type { Colors } from './colors.js';
import { recordsSection, recordsTable, sections } from './records.js';

/** What `status` knows of the fleet; each part is a list of records of its own shape. */
export interface FleetStatusView {
  tiers: readonly object[];
  versions: readonly object[];
  behind: readonly object[];
  target: string | null;
  held: readonly object[];
  runs: readonly object[];
  moves: readonly object[];
  due: readonly object[];
}

const NO_TENANTS = 'no tenants';

/** The fleet at a glance. */
export function fleetStatusText(status: FleetStatusView, colors: Colors): string {
  const { tiers, behind, target } = status;
  return sections(
    tiers.length === 0 ? NO_TENANTS : recordsTable(tiers),
    recordsSection('Versions', status.versions),
    behind.length === 0 ? colors.green('nothing is behind') : recordsSection(`Behind ${target}`, behind),
    recordsSection('Files that wait', status.held),
    recordsSection('Runs', status.runs),
    recordsSection('Moves', status.moves),
    recordsSection('Due', status.due),
  );
}
