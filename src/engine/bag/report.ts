import type { BagDifference, BagProblem } from '../../core/bag-report.js';
import type { StoredFile } from './tag-text.js';

export type { BagReport } from '../../core/bag-report.js';

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
