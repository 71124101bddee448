import type { MoveReport } from '../../core/move.js';
import { listMoves } from '../../engine/catalog/moves.js';
import type { Fleet } from '../../engine/context.js';
import { pickMove } from './pick.js';
import { toReportNow } from './report.js';

/** Moves, those that are not finished first. */
export async function movesList(fleet: Fleet, limit: number): Promise<{ moves: MoveReport[] }> {
  const moves = await fleet.catalog((connection) => listMoves(connection, limit));
  return { moves: await Promise.all(moves.map((move) => toReportNow(fleet, move))) };
}

/** One move as it stands. @throws conflict `MOVE_UNKNOWN` or `MOVE_AMBIGUOUS` (exit 5) */
export async function movesShow(fleet: Fleet, wanted: string | undefined): Promise<MoveReport> {
  const move = await fleet.catalog((connection) => pickMove(connection, wanted));
  return toReportNow(fleet, move);
}
