import type { MoveReport } from '../../core/move.js';
import { pause } from '../../core/pause.js';
import { type StoredMove, requireMove } from '../../engine/catalog/moves.js';
import type { Fleet } from '../../engine/context.js';
import { pickMove } from './pick.js';
import { toReportNow } from './report.js';

const LOOK_EVERY_MS = 1_000;

/** A move as somebody finds it who only reads. */
export interface WatchedMove {
  report: MoveReport;
  /** It rests in its grace period, or has ended. */
  settled: boolean;
}

/**
 * Follows a move that another process drives and says what happens, until it rests in its grace period, ends, or is
 * driven by nobody any more.
 * @throws conflict `MOVE_UNKNOWN` or `MOVE_AMBIGUOUS` (exit 5) · the reason of the interruption once the command is
 *   asked to end
 */
export async function watchMove(fleet: Fleet, wanted: string | undefined): Promise<WatchedMove> {
  const { move: id } = await fleet.catalog((connection) => pickMove(connection, wanted));
  for (let said: string | undefined; ;) {
    const move = await fleet.catalog((connection) => requireMove(connection, id));
    if (isSettled(move) || !move.leased) return leave(fleet, move);
    said = tell(fleet, move, said);
    await pause(LOOK_EVERY_MS, fleet.signal);
    fleet.signal.throwIfAborted();
  }
}

function isSettled({ state, undo, finishedAt }: StoredMove): boolean {
  return finishedAt !== null || (state === 'grace' && undo === null);
}

async function leave(fleet: Fleet, stored: StoredMove): Promise<WatchedMove> {
  const { move, tenant, state, writePauseMs } = stored;
  const settled = isSettled(stored);
  if (settled) fleet.emit({ type: 'move.finished', move, tenant, state, writePauseMs });
  return { report: await toReportNow(fleet, stored), settled };
}

/** Says how the move stands when that is news, and how far the copy has come. */
function tell(fleet: Fleet, stored: StoredMove, said: string | undefined): string {
  const { move, tenant, from, to, method, state } = stored;
  if (said === undefined)
    fleet.emit({ type: 'move.started', move, tenant, from: from.tier, to: to.tier, method });
  const text = standing(stored);
  if (text !== said) fleet.emit({ type: 'move.step', move, tenant, state, text });
  return text;
}

function standing({ state, undo, note, tables }: StoredMove): string {
  const copied = state === 'copying' ? `, ${tables.length} tables are copied` : '';
  const stands = undo === null ? `${state}${copied}` : `on its way back, ${undo}`;
  return note === null ? stands : `${stands}: ${note}`;
}
