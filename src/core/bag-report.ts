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
