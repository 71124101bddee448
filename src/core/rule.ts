import type { Finding } from './finding.js';

/** The checks that can be asked for by name. */
export const CHECKS = ['isolation', 'migrations', 'drift'] as const;
export type CheckName = (typeof CHECKS)[number];

/** A rule of a check, for people: the reference, SARIF and `--help` tell it from here. */
export interface Rule {
  /** Words with hyphens, unique over all checks. It never changes: baselines and allowances name it. */
  name: string;
  check: CheckName;
  /** Its findings' level; a rule that finds grave and light cases sets the lighter one in the finding. */
  level: Finding['level'];
  /** The danger, in one sentence. */
  summary: string;
  /** Why that is so, and when it may stay as it is. */
  explanation: string;
  /** How it is mended, in words. */
  remedy: string;
  /** SQL that has the fault, and the same without it. */
  bad: string;
  good: string;
}
