import type { Finding } from '../../core/finding.js';

/** What the doctor looks for, for people. The names never change: scripts and alerts name them. */
export interface DoctorRule {
  name: string;
  /** Its gravest findings' level. */
  level: Finding['level'];
  /** What is found, in a few words. */
  summary: string;
  /** Why it hurts, and how it comes to be. */
  explanation: string;
  /** What to do, in words; the finding has the particulars. */
  remedy: string;
  /** What `--fix` does about it where that is safe; null where a person decides. */
  mends: string | null;
}
