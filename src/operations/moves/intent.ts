import { formatDuration } from '../../core/duration.js';
import type { MoveHome, MoveReport, MoveState } from '../../core/move.js';
import type { StoredMove } from '../../engine/catalog/moves.js';
import { toReport } from './report.js';

/** What a verb would do with a move: what `--dry-run` gives. Nothing was changed. */
export interface MoveIntent {
  move: MoveReport;
  /** One sentence a step; none when nothing is to be done. */
  steps: string[];
}

export function intentOf(move: StoredMove, steps: string[]): MoveIntent {
  return { move: toReport(move), steps };
}

const COPY: Record<StoredMove['method'], string> = {
  atomic: 'copy and compare every row in one transaction, with its writes held',
  offline: 'copy and compare every row with its writes held',
  online: 'copy its rows while it writes',
};
const FOLLOW = 'follow its writes in cycles, and compare every row of both homes at one moment';

/** How far a move that is found in a state has still to go. */
export function resumeSteps(move: StoredMove): string[] {
  if (move.undo !== null && move.state === 'grace') return undoSteps(move);
  if (move.finishedAt !== null || (move.state === 'grace' && move.graceMs > 0)) return [];
  return [...travelSteps(move), ...arrivalSteps(move)];
}

const TRAVELLING: readonly MoveState[] = ['planned', 'prepared', 'copying', 'syncing', 'verified'];

function travelSteps({ state, method, to, maxPauseMs }: StoredMove): string[] {
  const done = TRAVELLING.indexOf(state);
  if (done < 0) return [];
  const cutOver = `hold its writes${method === 'online' ? ` for at most ${formatDuration(maxPauseMs)}` : ''} and let it go to ${placeOf(to)}`;
  return [
    ...(done < 1 ? [`make its new home: ${placeOf(to)}`] : []),
    ...(done < 3 ? [COPY[method]] : []),
    ...(done < 4 && method === 'online' ? [FOLLOW] : []),
    cutOver,
  ];
}

function arrivalSteps({ state, to, tenant, graceMs }: StoredMove): string[] {
  const flipped = state === 'flipped' || state === 'grace';
  return [
    ...(flipped ? [] : [`open the new home and flip the catalog to epoch ${to.epoch}`]),
    graceMs === 0
      ? 'delete the old copy; there is no way back'
      : `keep the old copy for ${formatDuration(graceMs)}: \`tenantctl moves undo ${tenant}\` brings it back`,
  ];
}

/** What bringing a tenant back would do. */
export function undoSteps({ tenant, from, to, maxPauseMs }: StoredMove): string[] {
  return [
    `bring the old home of tenant ${tenant} up to date: ${placeOf(from)}`,
    'compare every row of both homes at one moment, while it writes',
    `hold its writes for at most ${formatDuration(maxPauseMs)} and let it go back, with everything it has written since`,
    `flip the catalog to epoch ${to.epoch + 1}, and delete its copy: ${placeOf(to)}`,
  ];
}

/** What ending the grace period would do. */
export function completeSteps({ tenant, from, rows }: MoveReport): string[] {
  return [
    `delete the old copy of tenant ${tenant}, about ${rows.toLocaleString('en')} rows: ${placeOf(from)}`,
    'remove what the move has put into its new home',
    'after that there is no way back but another move',
  ];
}

/** What taking a move back would do. */
export function abortSteps({ tenant, from, to }: MoveReport): string[] {
  return [
    `leave tenant ${tenant} where it is and works: ${placeOf(from)}`,
    'take gate and marks off its tables',
    `delete what was copied: ${placeOf(to)}`,
  ];
}

/** `schema (schema tenant_acme of database app on cluster main)` */
export function placeOf({ tier, cluster, database, schema, pool }: MoveHome): string {
  return `${pool === null ? tier : `pool ${pool}`} (schema ${schema} of database ${database} on cluster ${cluster})`;
}
