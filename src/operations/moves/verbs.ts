import { shortId } from '../../core/short-id.js';
import { conflictError } from '../../core/errors.js';
import type { MoveReport, MoveState } from '../../core/move.js';
import type { StoredMove } from '../../engine/catalog/moves.js';
import type { Fleet } from '../../engine/context.js';
import { assertBeforeReturn } from './abort.js';
import { assertInGrace } from './complete.js';
import { type GoOn, finishMove, goBack, goOn, takeBack } from './conduct.js';
import { type MoveIntent, abortSteps, completeSteps, intentOf, resumeSteps, undoSteps } from './intent.js';
import { pickMove } from './pick.js';
import { toReport } from './report.js';
import { assertUndoable } from './undo.js';

/** Drives a move, or says what driving it would do. */
export interface MoveOptions extends GoOn {
  dryRun: boolean;
}

type Result = Promise<MoveReport | MoveIntent>;

/**
 * Goes on with a move that is not where it rests; one that rests or has ended is left as it is.
 * @param wanted the beginning of its id, or its tenant; the only unfinished one when left out
 * @throws conflict `MOVE_UNKNOWN`, `MOVE_AMBIGUOUS` or `MOVE_DRIVEN` (exit 5) · whatever `promote` throws
 */
export async function movesResume(fleet: Fleet, wanted: string | undefined, options: MoveOptions): Result {
  const move = await picked(fleet, wanted);
  return options.dryRun ? intentOf(move, resumeSteps(move)) : goOn(fleet, move, options);
}

/**
 * Brings a tenant back in the grace period, with everything that it has written since. Again: no change.
 * @throws conflict `MOVE_NOT_IN_GRACE` or `HOMES_APART` (exit 5) · partial error `CUT_OVER_TOO_SLOW` (exit 7)
 */
export async function movesUndo(fleet: Fleet, wanted: string | undefined, options: MoveOptions): Result {
  const move = await picked(fleet, wanted);
  if (isOver(move, 'undone')) return settled(move, options);
  assertUndoable(move);
  return options.dryRun ? intentOf(move, undoSteps(move)) : goBack(fleet, move, options);
}

/**
 * Ends the grace period at once: the old copy is deleted. Again: no change.
 * @throws conflict `MOVE_NOT_IN_GRACE` or `MOVE_GOING_BACK` (exit 5)
 */
export async function movesComplete(
  fleet: Fleet,
  wanted: string | undefined,
  options: { dryRun: boolean },
): Result {
  const move = await picked(fleet, wanted);
  if (isOver(move, 'completed')) return settled(move, options);
  assertInGrace(move);
  return options.dryRun ? intentOf(move, completeSteps(move)) : finishMove(fleet, move);
}

/**
 * Takes a move back before its point of no return. Again: no change.
 * @throws conflict `MOVE_PAST_RETURN` (exit 5)
 */
export async function movesAbort(
  fleet: Fleet,
  wanted: string | undefined,
  options: { dryRun: boolean },
): Result {
  const move = await picked(fleet, wanted);
  if (isOver(move, 'aborted')) return settled(move, options);
  assertBeforeReturn(move);
  return options.dryRun ? intentOf(move, abortSteps(move)) : takeBack(fleet, move);
}

function picked(fleet: Fleet, wanted: string | undefined): Promise<StoredMove> {
  return fleet.catalog((connection) => pickMove(connection, wanted));
}

/** @throws conflict `MOVE_FINISHED` (exit 5) for a move that has ended otherwise */
function isOver({ move, tenant, state, finishedAt }: StoredMove, wanted: MoveState): boolean {
  if (finishedAt === null) return false;
  if (state === wanted) return true;
  throw conflictError(
    'MOVE_FINISHED',
    `Move ${shortId(move)} of tenant ${tenant} has ended: it was ${state} at ${finishedAt}.`,
    {
      hint: '`tenantctl moves list` shows what is not finished; `tenantctl promote` begins another one.',
      facts: { move, tenant, state, finishedAt },
    },
  );
}

function settled(move: StoredMove, { dryRun }: { dryRun: boolean }): MoveReport | MoveIntent {
  return dryRun ? intentOf(move, []) : toReport(move);
}
