import type { DoctorRule } from './doctor-rule.js';
import { BEGUN_RULES } from './rules/begun.js';
import { HOME_RULES } from './rules/homes.js';
import { SERVER_RULES } from './rules/servers.js';
import { UNCLAIMED_RULES } from './rules/unclaimed.js';

/** Every rule, as the reference lists them. */
export const DOCTOR_RULES: readonly DoctorRule[] = [
  ...HOME_RULES,
  ...UNCLAIMED_RULES,
  ...BEGUN_RULES,
  ...SERVER_RULES,
];

/** What `--fix` does about the findings of a rule. */
export function mendingOf(name: string): string {
  return DOCTOR_RULES.find((each) => each.name === name)?.mends ?? 'mend it';
}
