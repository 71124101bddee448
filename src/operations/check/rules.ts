import type { CheckName, Rule } from '../../core/rule.js';

/** Every rule of every check, as the reference and the reports tell them. */
export const RULES: Readonly<Record<CheckName, readonly Rule[]>> = { isolation: [], migrations: [], drift: [] };
