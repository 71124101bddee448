import type { RunStatus } from '../../core/events.js';

/** Why a run stopped before its last wave had ended. */
export type Stop =
  | { kind: 'interrupted' }
  /** Somebody paused or aborted it from another terminal. */
  | { kind: 'decided'; status: RunStatus; reason: string | null }
  | { kind: 'halted'; reason: string }
  | { kind: 'rolled-back'; reason: string }
  /** Something that is asked between units, such as a throttle, cannot be answered. */
  | { kind: 'broken'; error: unknown }
  | { kind: 'waiting'; for: 'approval' | 'bake' | 'window' | 'command'; reason: string };
