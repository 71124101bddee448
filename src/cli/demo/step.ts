import type { Demo } from './demo.js';

/** One step of the story. A new one is a file beside this and a line in `steps.ts`. */
export interface DemoStep {
  /** Its name in `--json`. */
  name: string;
  title: string;
  /** What is done and why, in a sentence or two. */
  why: string;
  run(demo: Demo): Promise<StepResult>;
}

interface StepResult {
  /** What it did, in a few words, for the table at the end. */
  did: string;
  /** The same as numbers, for `--json`. */
  counts: Record<string, number | string>;
}

/** A step that has been told. */
export interface StepReport extends StepResult {
  name: string;
  title: string;
  durationMs: number;
}
