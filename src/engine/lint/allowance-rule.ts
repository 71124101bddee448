import type { Rule } from '../../core/rule.js';
import type { Allowance } from './allowances.js';

/** A rule about the allowances of a file. */
export interface AllowanceRule extends Rule {
  check: 'migrations';
  /** What is wrong with an allowance, one sentence for each thing. */
  judge: (
    allowance: Allowance,
    all: {
      known: ReadonlySet<string>;
      final: ReadonlySet<string>;
      isUsed: (allowance: Allowance, rule: string) => boolean;
    },
  ) => readonly string[];
}
