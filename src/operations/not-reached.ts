import { isTenantctlError } from '../core/errors.js';
import type { FindingFacts } from '../core/finding.js';
import { isAway } from '../pg/errors.js';
import { faultOf } from './fault.js';

/** What a finding says of a place that could not be looked at: has nobody answered there, or was it refused? */
export function notReached(error: unknown): FindingFacts {
  const { code } = faultOf(error);
  return isAway(error) ? { code, unreachable: true } : { code };
}

/** What a connection meets that never came to be; one that was lost in the middle may have been ended on purpose. */
const NEVER_THERE =
  /ECONNREFUSED|ENOTFOUND|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EAI_AGAIN|ENOENT|timeout expired/;

/** Does nobody answer? Then it is of no use to ask for other databases of that server, each for ten seconds. */
export function isSilent(error: unknown): boolean {
  if (!isAway(error) || !isTenantctlError(error)) return false;
  const { cause } = error;
  return cause instanceof Error && NEVER_THERE.test(`${(cause as { code?: unknown }).code} ${cause.message}`);
}
