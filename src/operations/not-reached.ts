import { isTenantctlError } from '../core/errors.js';
import type { FindingFacts } from '../core/finding.js';
import { isAway } from '../pg/errors.js';
import { faultOf } from './fault.js';

/** What a finding says of a place that could not be looked at: has nobody answered there, or was it refused? */
export function notReached(error: unknown): FindingFacts {
  const { code } = faultOf(error);
  return isAway(error) ? { code, unreachable: true } : { code };
}

/** Did the server not even answer? Then it is of no use to ask for its other databases, each for ten seconds. */
export function isSilent(error: unknown): boolean {
  return isAway(error) && isTenantctlError(error) && error.facts['sqlstate'] === null;
}
