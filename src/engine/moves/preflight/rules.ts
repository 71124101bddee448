import type { MoveFinding, PreflightContext, PreflightRule } from './finding.js';
import { tablesWithoutKey } from './keys.js';

const RULES: readonly PreflightRule[] = [tablesWithoutKey];

/** Everything that stands in the way of a move, errors first. */
export async function preflight(context: PreflightContext): Promise<MoveFinding[]> {
  const findings: MoveFinding[] = [];
  for (const rule of RULES) findings.push(...(await rule(context)));
  return findings.toSorted((one, other) => one.level.localeCompare(other.level));
}
