import type { MoveHome, MoveMethod } from '../../core/move.js';
import type { Tier } from '../../core/tier.js';
import type { MoveFinding } from '../../engine/moves/preflight/finding.js';

/** Where a tenant is to go, and how. */
export interface PromoteRequest {
  id: string;
  to: Tier;
  cluster?: string;
  pool?: string;
  method?: 'auto' | MoveMethod;
  graceMs?: number;
  maxPauseMs?: number;
  /** Keeps trying the cut-over until it fits, instead of giving up after some tries. */
  wait?: boolean;
}

export interface MovePlan {
  tenant: string;
  from: MoveHome;
  to: MoveHome;
  method: MoveMethod;
  /** The newest migration of both homes. */
  version: number | null;
  rows: number;
  tables: { table: string; rows: number }[];
  predictedPauseMs: number;
  maxPauseMs: number;
  maxLagMs: number;
  graceMs: number;
  findings: MoveFinding[];
  steps: string[];
}
