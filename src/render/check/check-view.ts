import type { Debt } from '../../core/baseline.js';
import type { Finding } from '../../core/finding.js';
import type { Rule } from '../../core/rule.js';

/** What one or several checks have found, as every form of output is told it. */
export interface CheckView {
  /** What counts, errors first. */
  findings: readonly Finding[];
  /** What the baseline knows already. */
  known: readonly Finding[];
  /** What the baseline names and is no longer there. */
  paid: readonly Debt[];
  /** Has every check come to its end? */
  whole: boolean;
  /** The rules of the checks that were made, whether they found something or not. */
  rules: readonly Rule[];
  /** A line for each check: how much was looked at; and whether a baseline was written. */
  scope: readonly string[];
}
