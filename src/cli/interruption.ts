import { EXIT, isTenantctlError, TenantctlError } from '../core/errors.js';
import { formatDuration } from '../core/duration.js';
import type { Io } from './io.js';

const SHOW_CURSOR = '\u001B[?25h';

/** What stops a command early: the first signal or the end of `--timeout` drains, a second signal ends. */
export interface Interruption {
  signal: AbortSignal;
  /** The failure as it is to be told: once interrupted, that is why the work is unfinished. */
  explain(failure: TenantctlError): TenantctlError;
  dispose(): void;
}

export function watchForInterruption(io: Io, timeout: number | undefined): Interruption {
  const controller = new AbortController();
  const { signal } = controller;
  const forget = io.onSignal((name) => {
    if (signal.aborted) return leaveNow(io);
    controller.abort(interrupted(name));
  });
  const timer =
    timeout === undefined ? undefined : setTimeout(() => controller.abort(timedOut(timeout)), timeout);
  return {
    signal,
    explain: (failure) => (signal.aborted ? withReason(failure, signal.reason) : failure),
    dispose() {
      clearTimeout(timer);
      forget();
    },
  };
}

/** What is told at the moment of the interruption, while the work drains. */
export function drainNotice(reason: unknown): string {
  const why = isTenantctlError(reason) && reason.code === 'TIMEOUT' ? '--timeout reached' : 'interrupted';
  return `${why}: finishing what has begun; Ctrl-C leaves at once`;
}

/** The renderer may have hidden the cursor; nobody else is left to bring it back. */
function leaveNow(io: Io): void {
  if (io.stderr.isTTY === true) io.stderr.write(SHOW_CURSOR);
  io.exitNow(EXIT.interrupted);
}

function interrupted(name: string): TenantctlError {
  return new TenantctlError(
    'INTERRUPTED',
    EXIT.interrupted,
    `Interrupted by ${name}: what had begun is finished.`,
    {
      hint: 'The same command again goes on where this one stopped.',
    },
  );
}

function timedOut(timeout: number): TenantctlError {
  return new TenantctlError(
    'TIMEOUT',
    EXIT.timeout,
    `--timeout reached after ${formatDuration(timeout)}: what had begun is finished.`,
    {
      hint: 'The same command again goes on where this one stopped.',
      facts: { timeoutMs: timeout },
    },
  );
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
