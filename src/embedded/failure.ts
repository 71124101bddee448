import {
  configError,
  conflictError,
  connectionError,
  isTenantctlError,
  type ErrorDetails,
  type TenantctlError,
} from '../core/errors.js';

type Fault = (code: string, message: string, details?: ErrorDetails) => TenantctlError;
interface Reason {
  readonly sign: RegExp;
  readonly fault: Fault;
  readonly code: string;
  readonly hint: string;
}

/** What PostgreSQL says (in English, see environment.ts) and what the reader can do about it. */
const REASONS: readonly Reason[] = [
  {
    sign: /no space left on device|disk quota exceeded/i,
    fault: connectionError,
    code: 'LOCAL_SERVER_DISK_FULL',
    hint: 'Free some space on that file system and run the command again.',
  },
  {
    sign: /could not look up effective user ID/,
    fault: configError,
    code: 'LOCAL_SERVER_UNKNOWN_UID',
    hint: 'Give this uid a line in /etc/passwd, or use a PostgreSQL server of your own: set catalog.url.',
  },
  {
    sign: /pre-existing shared memory block/,
    fault: conflictError,
    code: 'LOCAL_SERVER_ORPHANS',
    hint: 'Processes of a server that was killed are still at work in this directory; end them first.',
  },
  {
    sign: /Address already in use/,
    fault: conflictError,
    code: 'LOCAL_SERVER_PORT_TAKEN',
    hint: 'Another program listens on that port; choose another port, or none to get a free one.',
  },
  {
    sign: /permission denied|wrong ownership|invalid permissions|operation not permitted|read-only file system|EACCES/i,
    fault: connectionError,
    code: 'LOCAL_SERVER_PERMISSION',
    hint: "The server's user must own its data directory (mode 0700) and reach every folder above it.",
  },
  {
    sign: /could not (create|map|resize) .*shared memory|Cannot allocate memory/,
    fault: connectionError,
    code: 'LOCAL_SERVER_MEMORY',
    hint: 'Lower the setting shared_buffers, or give this machine or container more shared memory.',
  },
  {
    sign: /unrecognized configuration parameter|invalid value for parameter|outside the valid range|cannot be (changed|set)/,
    fault: configError,
    code: 'LOCAL_SERVER_SETTING',
    hint: "Correct the local server's settings.",
  },
];

/**
 * Turns what PostgreSQL's programs have said into an error that says what to do next.
 * @param what the sentence to begin with, such as "The local server did not start"
 * @param said the program's own words: its stderr, or the end of its log
 */
export function explainFailure(
  what: string,
  said: string,
  facts: Record<string, unknown>,
  cause?: unknown,
): TenantctlError {
  const reason = REASONS.find(({ sign }) => sign.test(said));
  const message = `${what}: ${lastLines(said) || 'it said nothing.'}`;
  const { fault = connectionError, code = 'LOCAL_SERVER_FAILED' } = reason ?? {};
  return fault(code, message, { facts, cause, ...(reason && { hint: reason.hint }) });
}

/** Does `work`; what the file system refuses becomes an error that says what to do next. */
export async function translateFailures<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isTenantctlError(error) || !(error instanceof Error) || !('syscall' in error)) throw error;
    throw explainFailure(what, error.message, {}, error);
  }
}

/** The local server, or its files, belong to another user of this machine. */
export function notYours(what: string, cause: unknown): TenantctlError {
  return connectionError(
    'LOCAL_SERVER_NOT_YOURS',
    `The local server here belongs to another user (${what}).`,
    {
      hint: 'Run the command as the user who started it, often root.',
      cause,
    },
  );
}

const SHOWN_LINES = 8;

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-SHOWN_LINES).join('\n');
}
