import { isTenantctlError } from '../core/errors.js';
import type { EventFault } from '../core/events.js';
import { redact } from '../core/redact.js';
import { sqlstateOf } from '../pg/errors.js';

/** An error as events and reports carry it: its code, the SQLSTATE behind it if any, and a clean message. */
export function faultOf(error: unknown): EventFault {
  const message = redact(error instanceof Error ? error.message : String(error));
  if (!isTenantctlError(error)) return { code: 'UNEXPECTED', sqlstate: sqlstateOf(error), message };
  const { sqlstate } = error.facts;
  return { code: error.code, sqlstate: typeof sqlstate === 'string' ? sqlstate : null, message };
}
