import type { DemoStep } from './step.js';
import { canary } from './canary.js';
import { check } from './check.js';
import { crash } from './crash.js';
import { isolate } from './isolate.js';
import { leave } from './leave.js';
import { promote } from './promote.js';
import { release } from './release.js';
import { settle } from './settle.js';
import { start } from './start.js';
import { suspend } from './suspend.js';

/** The story, in order. */
export const STEPS: readonly DemoStep[] = [
  start,
  settle,
  release,
  canary,
  isolate,
  check,
  suspend,
  crash,
  promote,
  leave,
];
