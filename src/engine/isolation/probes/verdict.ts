import type { Outcome } from '../attempt.js';

/**
 * What an attempt to reach another tenant's row says: it was held off, it has crossed, it failed where it should have found
 * nothing, it cannot be tried so, or nothing is known.
 */
export type Verdict = 'held' | 'crossed' | 'failed' | 'not so' | 'unknown';

/** Locks, timeouts and a server short of something: another day the answer is another one. */
const PASSING = /^(?:55P03|57014|40001|40P01|53...)$/;
/** A value that cannot be read, a parameter that is not there: nobody has meant to refuse. */
const BROKEN = /^(?:22...|42704|42883|42804)$/;

export function verdictOf({ attempt, rows, state, constraint }: Outcome): Verdict {
  if (rows !== null) return rows > 0 ? 'crossed' : 'held';
  if (attempt.notSo?.includes(state) === true) return 'not so';
  if (attempt.passed?.includes(state) === true)
    return attempt.constraints?.includes(constraint) === false ? 'not so' : 'crossed';
  if (PASSING.test(state)) return 'unknown';
  if (BROKEN.test(state)) return 'failed';
  return 'held';
}
