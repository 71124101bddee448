import { EXIT, isTenantctlError, TenantctlError } from '../core/errors.js';
import { formatDuration } from '../core/duration.js';
import { Cancellation } from './cancellation.js';
import type { Io } from './io.js';

const SHOW_CURSOR = '\u001B[?25h';
/** The failure of a look that was ended, which says how far it came. */
export const LOOK_STOPPED = 'LOOK_STOPPED';
/** From the second signal on: a server that does not answer must not keep anybody. */
const LONGEST_CANCEL_MS = 3_000;

/**
 * What stops a command early: the first signal or the end of `--timeout` drains, the second signal cancels
 * what is running, the third leaves at once. A command that only looks has nothing to drain: there the first
 * one cancels, and the second leaves.
 */
export interface Interruption {
  signal: AbortSignal;
  cancellation: Cancellation;
  /** Does the command only look? */
  looks: boolean;
  /** The failure as it is to be told: once interrupted, that is why the work is unfinished. */
  explain(failure: TenantctlError): TenantctlError;
  dispose(): void;
}

export function watchForInterruption(
  io: Io,
  { timeout, looks }: { timeout: number | undefined; looks: boolean },
): Interruption {
  const controller = new AbortController();
  const { signal } = controller;
  const cancellation = new Cancellation();
  let last: NodeJS.Timeout | undefined;
  const stop = (reason: TenantctlError) => {
    controller.abort(reason);
    if (looks) cancellation.start(reason);
  };
  const forget = io.onSignal((name) => {
    if (!signal.aborted) return stop(looks ? endedBy(name) : interrupted(name));
    if (cancellation.isEmpty || cancellation.signal.aborted) return leaveNow(io);
    last = setTimeout(() => leaveNow(io), LONGEST_CANCEL_MS);
    cancellation.start(cancelled(name));
  });
  const timer = timeout === undefined ? undefined : setTimeout(() => stop(timedOut(timeout, looks)), timeout);
  return {
    signal,
    cancellation,
    looks,
    explain: (failure) => withReason(failure, cancellation.signal.reason ?? signal.reason),
    dispose() {
      clearTimeout(timer);
      clearTimeout(last);
      forget();
    },
  };
}

/** What is told at the moment of the interruption, while the work drains. */
export function drainNotice(reason: unknown, looks: boolean): string {
  const why = isTenantctlError(reason) && reason.code === 'TIMEOUT' ? '--timeout reached' : 'interrupted';
  return looks
    ? `${why}: ending the look; Ctrl-C again leaves at once`
    : `${why}: finishing what has begun; Ctrl-C again cancels what is running`;
}

/** What is told when the second signal has come. */
export const CANCEL_NOTICE = 'cancelling what is running; Ctrl-C again leaves at once';

/** The renderer may have hidden the cursor; nobody else is left to bring it back. */
function leaveNow(io: Io): void {
  if (io.stderr.isTTY === true) io.stderr.write(SHOW_CURSOR);
  io.exitNow(EXIT.interrupted);
}

const AGAIN = 'The same command again goes on where this one stopped.';
const FROM_THE_BEGINNING =
  'Nothing was changed. The same command again looks at everything from the beginning.';

function interrupted(name: string): TenantctlError {
  const message = `Interrupted by ${name}: what had begun is finished.`;
  return new TenantctlError('INTERRUPTED', EXIT.interrupted, message, { hint: AGAIN });
}

function endedBy(name: string): TenantctlError {
  const message = `Interrupted by ${name} before everything was looked at.`;
  return new TenantctlError('INTERRUPTED', EXIT.interrupted, message, { hint: FROM_THE_BEGINNING });
}

function cancelled(name: string): TenantctlError {
  const message = `Interrupted by a second ${name}: what was running is cancelled.`;
  return new TenantctlError('INTERRUPTED', EXIT.interrupted, message, {
    hint: AGAIN,
    facts: { cancelled: true },
  });
}

function timedOut(timeout: number, looks: boolean): TenantctlError {
  const after = `--timeout reached after ${formatDuration(timeout)}`;
  const message = looks
    ? `${after}, before everything was looked at.`
    : `${after}: what had begun is finished.`;
  return new TenantctlError('TIMEOUT', EXIT.timeout, message, {
    hint: looks ? FROM_THE_BEGINNING : AGAIN,
    facts: { timeoutMs: timeout },
  });
}

function withReason(failure: TenantctlError, reason: unknown): TenantctlError {
  if (!isTenantctlError(reason) || failure === reason) return failure;
  const facts = {
    ...failure.facts,
    ...reason.facts,
    stopped: { code: failure.code, message: failure.message },
  };
  // How far a look has come is part of the message; what else has failed was stopped by the reason.
  const message = failure.code === LOOK_STOPPED ? `${reason.message} ${failure.message}` : reason.message;
  return new TenantctlError(reason.code, reason.exit, message, {
    ...(reason.hint === undefined ? {} : { hint: reason.hint }),
    facts,
    cause: failure,
    data: failure.data,
  });
}
