import { formatDuration } from '../../core/duration.js';
import type { MoveMethod } from '../../core/move.js';
import type { FleetSettings } from '../../core/settings.js';
import { placeOf } from './intent.js';
import type { MovePlan } from './move-plan.js';

/** Measured on two cores: rows a second that are copied and compared while writers wait. */
const ROWS_PER_MS = 100;
/** What a cut-over takes beside the rows: the last cycle, constraints put back, the opening of the new home. */
const CUT_OVER_MS = 40;
const INTO_A_POOL_MS = 100;
const PER_TABLE_MS = 2;

/** How long writes will wait, roughly, in milliseconds. */
export function predictPause(method: MoveMethod, rows: number, intoPool: boolean, tables: number): number {
  const cutOver = (intoPool ? INTO_A_POOL_MS : CUT_OVER_MS) + tables * PER_TABLE_MS;
  return Math.round(method === 'online' ? cutOver : cutOver + rows / ROWS_PER_MS);
}

/** What a move does, one sentence a step. */
export function planSteps(plan: Omit<MovePlan, 'steps'>, { hooks }: FleetSettings): string[] {
  const { tenant, from, to, graceMs } = plan;
  return [
    `set tenant ${tenant} moving; units ${placeOf(from)} and ${placeOf(to)} are not migrated until it has arrived`,
    `make its new home: ${placeOf(to)}, at the migration of the old one (${plan.version ?? 'none'})`,
    `put gate and marks on ${plan.tables.length} tables of the old home`,
    ...transport(plan),
    ...hooks.beforeCutover.map(([program]) => `run the hook ${program}`),
    `hold its writes for about ${plan.predictedPauseMs} ms${plan.method === 'online' ? ` (at most ${formatDuration(plan.maxPauseMs)})` : ''}, take over what is left and let it go: from here on it only goes forward`,
    `open the new home, flip the catalog to epoch ${to.epoch}; the old home answers TC001`,
    ...hooks.afterFlip.map(([program]) => `run the hook ${program}`),
    graceMs === 0
      ? 'delete the old copy at once; there is no way back'
      : `keep the old copy for ${formatDuration(graceMs)}: \`tenantctl moves undo ${tenant}\` brings it back without loss`,
  ];
}

function transport({ method, rows, tables }: Omit<MovePlan, 'steps'>): string[] {
  const what = `${rows.toLocaleString('en')} rows of ${tables.length} tables`;
  if (method === 'atomic') return [`copy and compare ${what} in one transaction, with its writes held`];
  if (method === 'offline') return [`copy and compare ${what} with its writes held`];
  return [
    `copy ${what} from one snapshot while it writes`,
    'follow its writes in cycles, and compare every row of both homes at one moment',
  ];
}
