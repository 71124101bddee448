import { EXIT, isTenantctlError, TenantctlError } from '../core/errors.js';
import { formatDuration } from '../core/duration.js';
import { Cancellation } from './cancellation.js';
import type { Io } from './io.js';

const SHOW_CURSOR = '\u001B[?25h';
/** From the second signal on: a server that does not answer must not keep anybody. */
const LONGEST_CANCEL_MS = 3_000;

/**
 * What stops a command early: the first signal or the end of `--timeout` drains, the second signal cancels
 * what is running, the third leaves at once.
 */
export interface Interruption {
  signal: AbortSignal;
  cancellation: Cancellation;
  /** The failure as it is to be told: once interrupted, that is why the work is unfinished. */
  explain(failure: TenantctlError): TenantctlError;
  dispose(): void;
}

export function watchForInterruption(io: Io, timeout: number | undefined): Interruption {
  const controller = new AbortController();
  const { signal } = controller;
  const cancellation = new Cancellation();
  let last: NodeJS.Timeout | undefined;
  const forget = io.onSignal((name) => {
    if (!signal.aborted) return controller.abort(interrupted(name));
    if (cancellation.isEmpty || cancellation.signal.aborted) return leaveNow(io);
    last = setTimeout(() => leaveNow(io), LONGEST_CANCEL_MS);
    cancellation.start(cancelled(name));
  });
  const timer =
    timeout === undefined ? undefined : setTimeout(() => controller.abort(timedOut(timeout)), timeout);
  return {
    signal,
    cancellation,
    explain: (failure) => withReason(failure, cancellation.signal.reason ?? signal.reason),
    dispose() {
      clearTimeout(timer);
      clearTimeout(last);
      forget();
    },
  };
}

/** What is told at the moment of the interruption, while the work drains. */
export function drainNotice(reason: unknown): string {
  const why = isTenantctlError(reason) && reason.code === 'TIMEOUT' ? '--timeout reached' : 'interrupted';
  return `${why}: finishing what has begun; Ctrl-C again cancels what is running`;
}

/** What is told when the second signal has come. */
export const CANCEL_NOTICE = 'cancelling what is running; Ctrl-C again leaves at once';

/** The renderer may have hidden the cursor; nobody else is left to bring it back. */
function leaveNow(io: Io): void {
  if (io.stderr.isTTY === true) io.stderr.write(SHOW_CURSOR);
  io.exitNow(EXIT.interrupted);
}

const AGAIN = 'The same command again goes on where this one stopped.';

function interrupted(name: string): TenantctlError {
  const message = `Interrupted by ${name}: what had begun is finished.`;
  return new TenantctlError('INTERRUPTED', EXIT.interrupted, message, { hint: AGAIN });
}

function cancelled(name: string): TenantctlError {
  const message = `Interrupted by a second ${name}: what was running is cancelled.`;
  return new TenantctlError('INTERRUPTED', EXIT.interrupted, message, {
    hint: AGAIN,
    facts: { cancelled: true },
  });
}

function timedOut(timeout: number): TenantctlError {
  const message = `--timeout reached after ${formatDuration(timeout)}: what had begun is finished.`;
  return new TenantctlError('TIMEOUT', EXIT.timeout, message, {
    hint: AGAIN,
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
  return new TenantctlError(reason.code, reason.exit, reason.message, {
    ...(reason.hint === undefined ? {} : { hint: reason.hint }),
    facts,
    cause: failure,
    data: failure.data,
  });
}
