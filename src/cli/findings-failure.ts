import { type TenantctlError, connectionError, differenceError } from '../core/errors.js';
import { type Finding, isUnreachable } from '../core/finding.js';
import { counted } from '../core/counted.js';

const DIFFERENCES = {
  check: {
    fault: differenceError,
    code: 'CHECK_FINDINGS',
    hint: 'Each finding says how it is mended; docs/reference/checks.md says why it hurts.',
  },
  doctor: { fault: differenceError, code: 'DOCTOR_FINDINGS', hint: 'Each finding says what to do next.' },
} as const;

/**
 * The failure that findings of level error mean: a difference (exit 8) as soon as there is one, for looking again does not
 * mend it. Where nothing but places that did not answer is amiss, a later look may tell (exit 4).
 * @param of whose findings they are
 */
export function findingsFailure(
  findings: readonly Finding[],
  of: keyof typeof DIFFERENCES,
): TenantctlError | undefined {
  const errors = findings.filter(({ level }) => level === 'error');
  if (errors.length === 0) return undefined;
  const rules = [...new Set(errors.map(({ rule }) => rule))];
  const away = errors.filter(isUnreachable);
  const facts = { errors: errors.length, rules, unreachable: away.map(({ where }) => where) };
  if (away.length === errors.length) return notAllReached(facts);
  const missing = away.length === 0 ? '' : `; ${counted(away.length, 'place')} could not be reached`;
  const { fault, code, hint } = DIFFERENCES[of];
  return fault(code, `${counted(errors.length, 'error')} found: ${rules.join(', ')}${missing}.`, {
    hint,
    facts,
  });
}

function notAllReached(facts: { unreachable: string[] }): TenantctlError {
  const { length } = facts.unreachable;
  return connectionError(
    'NOT_ALL_REACHED',
    `${counted(length, 'place')} could not be reached, so nothing is known of what is there; no error was found elsewhere.`,
    { hint: 'Mend the connection, or run the same command again later.', facts },
  );
}
