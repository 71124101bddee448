/**
 * Process exit codes. They are part of the command line's contract: scripts branch on them,
 * so a number never changes its meaning.
 */
export const EXIT = {
  ok: 0,
  internal: 1,
  usage: 2,
  config: 3,
  connection: 4,
  conflict: 5,
  refused: 6,
  partial: 7,
  difference: 8,
  pending: 9,
  waiting: 10,
  timeout: 11,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export interface ErrorDetails {
  /** What to do next, as a sentence or a command the reader can type. */
  hint?: string;
  /** Machine-readable particulars; they reach `--json` output, so never a secret. */
  facts?: Record<string, unknown>;
  cause?: unknown;
  /** What was done before the failure, for verbs that can fail in part. */
  data?: unknown;
}

/** Survives two copies of this module in one process, where `instanceof` would not. */
const BRAND = Symbol.for('tenantctl.error');

/** An expected failure: it says what happened and what to do next, and carries its exit code. */
export class TenantctlError extends Error {
  readonly [BRAND] = true;
  readonly code: string;
  readonly exit: ExitCode;
  readonly hint: string | undefined;
  readonly facts: Record<string, unknown>;
  readonly data: unknown;

  constructor(code: string, exit: ExitCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'TenantctlError';
    this.code = code;
    this.exit = exit;
    this.hint = details.hint;
    this.facts = details.facts ?? {};
    this.data = details.data;
  }
}

export function isTenantctlError(error: unknown): error is TenantctlError {
  return typeof error === 'object' && error !== null && BRAND in error;
}

type Fault = (code: string, message: string, details?: ErrorDetails) => TenantctlError;
const fault =
  (exit: ExitCode): Fault =>
  (code, message, details) =>
    new TenantctlError(code, exit, message, details);

/** The command line was wrong; nothing was started. */
export const usageError = fault(EXIT.usage);
/** Configuration or migration files are invalid; nothing was changed. */
export const configError = fault(EXIT.config);
/** A server could not be reached or would not let us in. */
export const connectionError = fault(EXIT.connection);
/** The state of the fleet does not allow this now. */
export const conflictError = fault(EXIT.conflict);
/** Possible, but unsafe: the tool declines. */
export const refusedError = fault(EXIT.refused);
/** Some of the work failed; the same command can be run again. */
export const partialError = fault(EXIT.partial);
/** A check found that something is not what it should be. */
export const differenceError = fault(EXIT.difference);
/** A bug in tenantctl itself. */
export const internalError = fault(EXIT.internal);
