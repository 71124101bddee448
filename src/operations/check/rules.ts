import type { CheckName, Rule } from '../../core/rule.js';
import { ISOLATION_RULES } from '../../engine/isolation/registry.js';
import { RULES as MIGRATION_RULES } from '../../engine/lint/registry.js';
import { DRIFT_RULES } from './drift-rules/registry.js';

/** Every rule of every check, as the reference and the reports tell them. */
export const RULES: Readonly<Record<CheckName, readonly Rule[]>> = {
  isolation: ISOLATION_RULES,
  migrations: MIGRATION_RULES,
  drift: DRIFT_RULES,
};
