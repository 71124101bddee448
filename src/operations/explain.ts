import { type TenantctlError, conflictError, connectionError, refusedError } from '../core/errors.js';
import { redact } from '../core/redact.js';
import { type DatabaseError, isDatabaseError } from '../pg/errors.js';

/**
 * Puts an error of the server that no part expected into words, where it is not a bug of ours: missing
 * rights, a full disk, a standby, a lock that was not granted.
 * @returns undefined for every other error
 */
export function explainDatabaseError(error: unknown): TenantctlError | undefined {
  if (!isDatabaseError(error)) return undefined;
  const explain = EXPLANATIONS[error.code] ?? (error.code.startsWith('TC0') ? historyIsKept : undefined);
  return explain?.(error, { facts: { sqlstate: error.code }, cause: error });
}

type Explanation = (
  error: DatabaseError,
  details: { facts: Record<string, unknown>; cause: unknown },
) => TenantctlError;

const said = ({ message, code }: DatabaseError): string => redact(`${message} (SQLSTATE ${code})`);

const historyIsKept: Explanation = (error, details) =>
  conflictError('CATALOG_REFUSED', `The catalog does not allow this: ${said(error)}.`, {
    ...details,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  });

const EXPLANATIONS: Readonly<Record<string, Explanation>> = {
  '42501': (error, details) =>
    refusedError('NOT_PERMITTED', `The server does not permit this to the administrator: ${said(error)}.`, {
      ...details,
      hint: 'The administrator of a cluster needs CREATEDB and CREATEROLE, and must own the databases it manages.',
    }),
  '53100': (error, details) =>
    conflictError('DISK_FULL', `The server's disk is full: ${said(error)}.`, {
      ...details,
      hint: 'Make room on the server and run the same command again; nothing half-made is in use.',
    }),
  '25006': (error, details) =>
    conflictError('READ_ONLY', `The server accepts no writes: ${said(error)}.`, {
      ...details,
      hint: 'Give the URL of the primary, not of a standby.',
    }),
  '57014': (error, details) =>
    conflictError('STATEMENT_ENDED', `A statement was ended by the server: ${said(error)}.`, {
      ...details,
      hint: 'It ran into a timeout or was cancelled; run the same command again.',
    }),
  '55P03': (error, details) =>
    conflictError('LOCKED', `A lock was not granted in time: ${said(error)}.`, {
      ...details,
      hint: 'Somebody holds it; run the same command again.',
    }),
  '53300': (error, details) =>
    connectionError('TOO_MANY_CONNECTIONS', `The server has no free connection: ${said(error)}.`, {
      ...details,
      hint: "Lower maxConnections of this cluster, or raise the server's limit.",
    }),
};
