import type { MoveReport, MoveState } from '../../core/move.js';
import type { StoredMove } from '../../engine/catalog/moves.js';
import type { Fleet } from '../../engine/context.js';
import { flip, hasLeft, settle } from './arrive.js';
import { abortMove } from './abort.js';
import { moveAtomically, moveOffline } from './at-once.js';
import { completeMove } from './complete.js';
import { type Drive, type End, withDrive } from './drive.js';
import { localMove, prepareHomes } from './prepare.js';
import { refusedRow } from './refused-row.js';
import { toReport } from './report.js';
import { travel } from './travel.js';
import { undoMove } from './undo.js';

/** How a move is to go on. */
export interface GoOn {
  /** Keeps trying the cut-over until it fits. */
  wait?: boolean;
  /** Writes may wait so long from now on; as it was ordered when left out. */
  maxPauseMs?: number;
}

type Phase = (drive: Drive) => Promise<void>;

const GO: Record<StoredMove['method'], Phase> = {
  online: travel,
  atomic: moveAtomically,
  offline: moveOffline,
};

/** What takes a move on from each state in which it may be found; in the others it rests or has ended. */
const PHASES: Partial<Record<MoveState, Phase>> = {
  planned: prepareHomes,
  prepared: (drive) => GO[drive.move.method](drive),
  copying: travel,
  syncing: travel,
  verified: travel,
  moved: flip,
  flipped: settle,
};

/**
 * Takes a move on as far as it goes by itself: into its grace period, or to its end where there is none. The same call
 * goes on with a move whose process died anywhere.
 */
export async function goOn(
  fleet: Fleet,
  move: Pick<StoredMove, 'move' | 'tenant'>,
  how: GoOn = {},
): Promise<MoveReport> {
  return withDrive(fleet, move, async (drive) => {
    await listen(drive, how);
    await settleWhatHappened(drive);
    for (let phase = PHASES[drive.move.state]; phase !== undefined; phase = PHASES[drive.move.state])
      await orTakeBack(drive, phase);
    if (drive.move.undo !== null && drive.move.state === 'grace') await undoMove(drive);
    else if (drive.move.state === 'grace' && drive.move.graceMs === 0) await completeMove(drive);
    return announced(drive);
  });
}

/** A refusal before anything was copied leaves nothing: the half-made home is taken away again. */
async function orTakeBack(drive: Drive, phase: Phase): Promise<void> {
  try {
    await phase(drive);
  } catch (error) {
    if (drive.move.state === 'planned' && !drive.fleet.cancelled) {
      const reason = error instanceof Error ? error.message : String(error);
      await abortMove(drive, reason).catch(() => undefined);
    }
    throw refusedRow(error, drive);
  }
}

/** What this call asks for beside what was ordered. */
async function listen(drive: Drive, { wait = false, maxPauseMs }: GoOn): Promise<void> {
  drive.waits = wait;
  if (maxPauseMs !== undefined && drive.move.finishedAt === null) await drive.note({ maxPauseMs });
}

/** The old home may have let its tenant go without the catalog having heard of it. */
async function settleWhatHappened(drive: Drive): Promise<void> {
  const { move, source, target } = drive;
  if (move.finishedAt !== null) return;
  await nameDriver(drive, source);
  if (move.state !== 'planned') await nameDriver(drive, target);
  const undecided = move.state === 'prepared' || move.state === 'verified';
  if (undecided && (await hasLeft(drive, source))) await drive.step('moved');
}

/** A mover that was taken over finds another name at the home, and cannot decide any more. */
async function nameDriver(drive: Drive, end: End): Promise<void> {
  const { cluster, database } = end.home.placement;
  if ((await end.driver.inspect(drive.fleet, end.home)).state !== 'present') return;
  await drive.fleet.managed(cluster, database, (session) => session.execute(localMove(drive, end)));
}

/** `moves undo` */
export function goBack(fleet: Fleet, move: StoredMove, how: GoOn = {}): Promise<MoveReport> {
  return withDrive(fleet, move, async (drive) => {
    await listen(drive, how);
    await undoMove(drive);
    return announced(drive);
  });
}

/** `moves complete` */
export function finishMove(fleet: Fleet, move: StoredMove): Promise<MoveReport> {
  return withDrive(fleet, move, async (drive) => {
    await completeMove(drive);
    return announced(drive);
  });
}

/** `moves abort` */
export function takeBack(fleet: Fleet, move: StoredMove): Promise<MoveReport> {
  return withDrive(fleet, move, async (drive) => {
    await settleWhatHappened(drive);
    await abortMove(drive, fleet.actor.reason);
    return announced(drive);
  });
}

function announced({ fleet, move }: Drive): MoveReport {
  const { tenant, state, writePauseMs } = move;
  fleet.emit({ type: 'move.finished', move: move.move, tenant, state, writePauseMs });
  return toReport(move);
}
