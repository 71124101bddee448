import type { StoredFile } from './tag-text.js';

/** What differs in an export from what it says of itself. */
export interface BagDifference {
  /** Path within the export. */
  file: string;
  problem: BagProblem;
  message: string;
}

export type BagProblem =
  'missing' | 'extra' | 'changed' | 'truncated' | 'invalid' | 'unsafe' | 'contradicts' | 'signature';

/** What was found in an export, without any database. */
export interface BagReport {
  ok: boolean;
  directory: string;
  /** Null when the manifest cannot be read. */
  tenant: string | null;
  files: number;
  bytes: number;
  rows: number;
  /**
   * Who signed it, and whether that was compared with a key that was given: the key in the export itself shows only that
   * the export is as its maker left it. Null when it is not signed, or not by that key.
   */
  signed: { keyId: string; by: 'the given key' | 'the key in the export' } | null;
  differences: BagDifference[];
}

/** Collects what differs. */
export class Findings {
  readonly list: BagDifference[] = [];

  add(file: string, problem: BagProblem, message: string): void {
    this.list.push({ file, problem, message });
  }
}

/** A bag as it was found. */
export interface FoundBag {
  directory: string;
  files: ReadonlyMap<string, StoredFile>;
  findings: Findings;
  /** The text of a tag file, or undefined when it is not there. */
  text(file: string): Promise<string | undefined>;
}
