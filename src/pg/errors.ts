import { EXIT, type TenantctlError, connectionError, isTenantctlError } from '../core/errors.js';
import { redact } from '../core/redact.js';

/** What PostgreSQL says about a failed statement; a structural view of the driver's own error. */
export interface DatabaseError extends Error {
  code: string;
  severity?: string;
  detail?: string;
  hint?: string;
  /** 1-based, in code points of the whole message sent. */
  position?: string;
  internalPosition?: string;
  where?: string;
  schema?: string;
  table?: string;
  constraint?: string;
}

/** The server is there, and the database is not: that does not pass. */
export const NO_SUCH_DATABASE = '3D000';
const SQLSTATE = /^[0-9A-Z]{5}$/;

export function isDatabaseError(error: unknown): error is DatabaseError {
  return (
    error instanceof Error && SQLSTATE.test(String((error as { code?: unknown }).code)) && 'severity' in error
  );
}

/** The SQLSTATE of an error, or null when the server did not answer with one. */
export function sqlstateOf(error: unknown): string | null {
  return isDatabaseError(error) ? error.code : null;
}

const NETWORK = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
  'EPIPE',
]);
const LOST_MESSAGES = /Connection terminated|connection is insecure|timeout expired|not queryable/i;
const SERVER_GONE = new Set([
  '57P01',
  '57P02',
  '57P03',
  '08000',
  '08001',
  '08003',
  '08004',
  '08006',
  '08P01',
]);

/** Did the connection go away, so that nobody knows what the server did with the last message? */
export function isConnectionLoss(error: unknown): boolean {
  if (isDatabaseError(error)) return SERVER_GONE.has(error.code);
  if (!(error instanceof Error)) return false;
  return NETWORK.has(String((error as { code?: unknown }).code)) || LOST_MESSAGES.test(error.message);
}

/** A server that cannot be reached, or went away in the middle, and may be back in a moment: a restart, a fail-over. */
export function isAway(error: unknown): boolean {
  return (
    isTenantctlError(error) && error.exit === EXIT.connection && error.facts['sqlstate'] !== NO_SUCH_DATABASE
  );
}

/** A failure to connect, or a connection that was lost, as the user should read it (exit 4). */
export function connectionFailure(server: string, database: string, error: unknown): TenantctlError {
  const reason = redact(error instanceof Error ? describe(error) : String(error));
  return connectionError('CANNOT_CONNECT', `Cannot connect to ${server}, database ${database}: ${reason}`, {
    hint: hintFor(error),
    facts: { server, database, sqlstate: sqlstateOf(error) },
    cause: error,
  });
}

/** What the driver says when it has no password for a server that asks for one. */
const NO_PASSWORD = /client password must be a/;

function describe(error: Error): string {
  if (NO_PASSWORD.test(error.message)) return 'the server asks for a password, and the URL has none';
  const nested = error instanceof AggregateError ? (error.errors as unknown[]) : [];
  const first = nested.find((item): item is Error => item instanceof Error);
  return error.message || first?.message || error.name;
}

function hintFor(error: unknown): string {
  if (error instanceof Error && NO_PASSWORD.test(error.message))
    return 'Write it into the URL, after the name of the user and a colon; the whole URL best stands in an environment variable.';
  switch (sqlstateOf(error)) {
    case '28P01':
    case '28000':
      return 'Check user and password in the URL, and pg_hba.conf on the server.';
    case NO_SUCH_DATABASE:
      return 'That database does not exist; check the name in the configuration.';
    case '53300':
      return "The server has no free connection: lower maxConnections of this cluster or raise the server's limit.";
    default:
      return 'Check that the server runs and that host and port are right.';
  }
}
