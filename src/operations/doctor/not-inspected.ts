import { faultOf } from '../fault.js';
import { notReached } from '../not-reached.js';
import type { DoctorFinding } from './rule.js';

/** What could not be looked into: a doctor who was not let in must not look like one who has found nothing. */
export function notInspected(where: string, error: unknown): DoctorFinding {
  return {
    rule: 'not-inspected',
    level: 'error',
    where,
    message: `it could not be looked into: ${faultOf(error).message}`,
    hint: 'What is wrong there is not known. Mend the connection and run `tenantctl doctor` again.',
    facts: notReached(error),
  };
}
