import { isTenantctlError } from '../../core/errors.js';
import type { MoveReport } from '../../core/move.js';
import { type StoredMove, dueMoves } from '../../engine/catalog/moves.js';
import type { Fleet } from '../../engine/context.js';
import { finishMove } from './conduct.js';
import { toReport } from './report.js';

/** What became of the moves whose grace period is over. */
export interface CompletedMoves {
  completed: MoveReport[];
  failed: FailedMove[];
}

export interface FailedMove {
  move: string;
  tenant: string;
  code: string;
  message: string;
  hint: string | null;
}

/** Moves whose grace period is over: what `completeDue` would complete. */
export async function movesDue(fleet: Fleet): Promise<{ due: MoveReport[] }> {
  return { due: (await fleet.catalog(dueMoves)).map(toReport) };
}

/**
 * Completes every move whose grace period is over, one after the other. One that fails keeps its old copy and stops
 * no other. Once the command is asked to end no other begins.
 */
export async function completeDue(fleet: Fleet): Promise<CompletedMoves> {
  const result: CompletedMoves = { completed: [], failed: [] };
  for (const move of await fleet.catalog(dueMoves)) {
    if (fleet.signal.aborted) break;
    try {
      result.completed.push(await finishMove(fleet, move));
    } catch (error) {
      result.failed.push(failureOf(move, error));
    }
  }
  return result;
}

function failureOf({ move, tenant }: StoredMove, error: unknown): FailedMove {
  const message = error instanceof Error ? error.message : String(error);
  const { code, hint } = isTenantctlError(error) ? error : { code: 'INTERNAL', hint: undefined };
  return { move, tenant, code, message, hint: hint ?? null };
}
