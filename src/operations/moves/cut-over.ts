import { shortId } from '../../core/short-id.js';
import { type TenantctlError, isTenantctlError, partialError } from '../../core/errors.js';
import { pause } from '../../core/pause.js';
import type { Fleet } from '../../engine/context.js';
import { FENCE_EXCEEDED, type Pause, departure, inFence } from '../../engine/moves/fence.js';
import { assertUnchanged } from '../../engine/moves/alike.js';
import { countDirty } from '../../engine/moves/guards.js';
import { raiseSequences } from '../../engine/moves/sequences.js';
import { assertSharedRowsThere } from '../../engine/moves/shared-rows.js';
import { type Stream, cycle, transfer } from '../../engine/moves/sync.js';
import { sqlstateOf } from '../../pg/errors.js';
import { type Sql, raw } from '../../pg/sql.js';
import { differs } from '../../engine/moves/verify.js';
import type { Drive, End } from './drive.js';
import { runMoveHooks } from './hooks.js';
import { assertGoingOn } from './interruption.js';

/** Cut-overs that are tried before the command gives up for now. */
const TRIES = 10;
/** What the opening of the new home takes after the decision; the pause lasts until then. */
const OPENING_MS = 50;
const FIRST_REST_MS = 200;
const LONGEST_REST_MS = 5_000;

/** Lets the tenant go over as soon as that takes no longer than it may. */
export async function cutOver(drive: Drive, stream: Stream): Promise<void> {
  const { fleet, source, target, move } = drive;
  await runMoveHooks(drive, 'beforeCutover');
  const pauses = await patiently(drive, stream, async () => {
    await assertUntouched(stream);
    await warmUp(drive, target);
    return decideIn(stream, move, () => departFrom(drive, source, target, stream));
  });
  fleet.reach('move.left');
  await target.driver.admit(fleet, target.home);
  await drive.step('moved', measured(pauses));
  fleet.reach('move.opened');
}

/** What is stored of a pause: until the commit that let the tenant go, and the opening after it. */
export function measured({ fenceWaitMs, asked }: Pause) {
  return { fenceWaitMs: tenths(fenceWaitMs), writePauseMs: tenths(performance.now() - asked), note: null };
}

function tenths(milliseconds: number): number {
  return Math.round(milliseconds * 10) / 10;
}

/** The last cycle and the decision, with the writers of the tenant held. */
export async function decideIn(
  stream: Stream,
  { tenant, maxPauseMs }: { tenant: string; maxPauseMs: number },
  decision: () => Promise<Sql[]>,
): Promise<Pause> {
  const { from, to } = stream;
  const limits = { maxPauseMs: Math.max(maxPauseMs - OPENING_MS, maxPauseMs / 2) };
  return inFence(from.session, tenant, limits, async () => {
    await assertUnchanged(stream);
    await to.session.transaction(async () => {
      await transfer(stream);
      await raiseSequences(from, to);
      await to.receiver.putBack(to.session);
    });
    stream.reach('move.drained');
    return decision();
  });
}

/**
 * The statements with which a tenant leaves one home for the other.
 * @throws refusal `SHARED_ROWS_MISSING` (exit 6)
 */
export async function departFrom(drive: Drive, from: End, to: End, stream: Stream) {
  const { fleet, id, driver } = drive;
  const { column, shared } = fleet.settings.tenancy;
  await assertSharedRowsThere(stream, column, shared);
  const leaving = await from.driver.leaving(fleet, stream.from.session, from.home, to.home.placement);
  return departure(from.side, id, driver, to.home, leaving);
}

/** Opens the connection that will let the tenant in, so that nobody waits for that. */
async function warmUp({ fleet }: Drive, { home: { placement } }: End): Promise<void> {
  await fleet.managed(placement.cluster, placement.database, (session) => session.rows(raw('select 1')));
}

/** Nobody may have written at the new home: what is marked there was not written by us. */
async function assertUntouched({ move, to }: Stream): Promise<void> {
  const marks = await countDirty(to.session, to.side, move);
  if (marks > 0) throw differs('(any)', `somebody else has written ${marks} rows at the new home`);
}

/**
 * Tries the cut-over until it fits. Between two tries the changes are followed until a cycle takes so little that the
 * last one, in the fence, fits well.
 * @throws partial error `CUT_OVER_TOO_SLOW` (exit 7): both homes are in step and the move can be resumed
 */
export async function patiently<T>(drive: Drive, stream: Stream, attempt: () => Promise<T>): Promise<T> {
  const { fleet } = drive;
  for (let tries = 1; ; tries += 1) {
    await calm(drive, stream);
    try {
      return await attempt();
    } catch (error) {
      const reason = passing(error);
      if (reason === undefined) throw error;
      await drive.note({ note: reason });
      drive.say(`the cut-over is tried again: ${reason}`);
      if (tries >= TRIES && !drive.waits) throw tooSlow(drive, reason);
      // What was put back for the cut-over stands aside again.
      await stream.to.receiver.makeReady(stream.to.session);
      await rest(fleet, tries);
    }
  }
}

/** Cycles until two in a row take less than half of what the pause may, or the limit of the lag. */
async function calm(drive: Drive, stream: Stream): Promise<void> {
  const { fleet, move } = drive;
  const enough = Math.min(move.maxPauseMs / 2, move.maxLagMs);
  const until = performance.now() + PATIENCE_MS;
  for (let quick = 0; quick < 2;) {
    assertGoingOn(fleet);
    const { ms } = await cycle(stream);
    quick = ms < enough ? quick + 1 : 0;
    if (performance.now() > until && !drive.waits)
      throw tooSlow(
        drive,
        `a cycle still takes ${Math.round(ms)} ms; it must be below ${Math.round(enough)} ms`,
      );
  }
}

const PATIENCE_MS = 120_000;

/** A lock that was not granted, a statement that took too long, a serialisation conflict: worth another try. */
function passing(error: unknown): string | undefined {
  if (isTenantctlError(error)) return error.code === FENCE_EXCEEDED ? error.message : undefined;
  switch (sqlstateOf(error)) {
    case '55P03':
      return 'writers of the tenant did not let go in time';
    case '57014':
      return 'the last cycle took longer than the pause may';
    case '40P01':
    case '40001':
      return 'it met a conflict with a writer';
    default:
      return undefined;
  }
}

function rest(fleet: Fleet, tries: number): Promise<unknown> {
  return pause(Math.random() * Math.min(LONGEST_REST_MS, FIRST_REST_MS * 2 ** tries), fleet.signal);
}

function tooSlow({ id, move }: Drive, reason: string): TenantctlError {
  return partialError(
    'CUT_OVER_TOO_SLOW',
    `Tenant ${move.tenant} is copied but has not moved yet: ${reason}.`,
    {
      hint: `It goes on where it is. \`tenantctl moves resume ${shortId(id)}\` tries again; --max-pause lets writes wait longer, --wait keeps trying.`,
      facts: { move: id, tenant: move.tenant, maxPauseMs: move.maxPauseMs },
    },
  );
}
