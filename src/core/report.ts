import type { RunStatus, UnitTotals } from './events.js';
import type { Finding } from './finding.js';
import type { Blocked, LockMode } from './lock-mode.js';
import type { UnitVersion } from './unit.js';

/** What a run did, or has done so far: text, JSON and exit code all come from this one document. */
export interface RunReport {
  /** Null when there was nothing to do, so that no run was stored. */
  run: string | null;
  kind: 'migrate' | 'rollback';
  status: RunStatus;
  /** Why it is paused, waits, failed or was aborted; null when there is nothing to say. */
  reason: string | null;
  to: UnitVersion | null;
  /** `current`: units that were there already, which `units` and `tenants` do not count. */
  totals: UnitTotals & { current: number };
  waves: WaveReport[];
  failures: UnitFailure[];
  /** Files that wait for a go of their own, and why. */
  held: { migration: string; reason: string }[];
  skipped: { unit: string; reason: string }[];
  /** Pools whose tables were not as their entries in the configuration say, and what was done about it. */
  pools?: PoolSettlement[];
  durationMs: number;
}

/** What is done, or is to be, so that a pool is as its entry in the configuration says. */
export interface PoolSettlement {
  /** The unit: `pool:shared`. */
  pool: string;
  /** Tables that get row-level security, and what they lacked. */
  enforced: { table: string; lacks: string[] }[];
  /** Tables that lose it: every tenant reaches the rows of all others. */
  opened: string[];
  /** Tables that the configuration only observes, and that stay enforced because nobody agreed to open them. */
  stillEnforced: string[];
  /** Tables that are listed and cannot be enforced, and why. */
  problems: string[];
}

const HALT = 'halted: ';

/** The reason of a run that did not stop by anybody's wish. */
export function haltReason(reason: string): string {
  return `${HALT}${reason}`;
}

/** Was the run stopped by its budget or by a check, rather than by a person? */
export function isHalted({ status, reason }: Pick<RunReport, 'status' | 'reason'>): boolean {
  return status === 'paused' && reason?.startsWith(HALT) === true;
}

export type WaveStatus =
  | 'pending'
  | 'awaiting-window'
  | 'running'
  | 'baking'
  | 'awaiting-approval'
  | 'succeeded'
  | 'failed'
  | 'rolled-back';

export interface WaveReport {
  name: string;
  status: WaveStatus;
  units: number;
  succeeded: number;
  failed: number;
  /** What its units took together; with several at a time the wave itself took less. */
  durationMs: number;
}

export interface UnitFailure {
  unit: string;
  /** The wave it failed in; none when it could not even be looked at. */
  wave: string | null;
  tenants: string[];
  code: string;
  migration: string | null;
  sqlstate: string | null;
  message: string;
  file: string | null;
  line: number | null;
  attempts: number;
}

export interface PlannedMigration {
  id: number;
  name: string;
  phase: 'expand' | 'contract' | null;
  transactional: boolean;
  locks: PlannedLock[];
}

/** What a migration does to one table that is there before it. */
export interface PlannedLock {
  /** As the file names it; null for tables that it does not name. */
  relation: string | null;
  lock: LockMode;
  blocks: Blocked;
  /** Is the table written anew? `maybe`: the file alone does not tell. */
  rewrites: boolean | 'maybe';
  /** Is the whole table read under the lock? */
  scans: boolean;
}

/** A wave of a plan, and what the run waits for before it passes on from it. */
export interface WavePlan {
  name: string;
  units: string[];
  tenants: number;
  /** Health checks that are asked when its units are done. */
  checks: number;
  /** How long it is watched. The last wave has nothing to wait for. */
  bakeMs: number;
  /** Must a person approve? */
  approve: boolean;
}

/** When units may be started, as a person would write it. */
export interface PlannedWindow {
  /** `Mon` to `Sun` */
  days: string[];
  /** `09:00` */
  from: string;
  to: string;
  zone: string;
}

/** What `--dry-run` shows of a run. */
export interface RunPlan {
  waves: WavePlan[];
  /** It holds for every wave; null when units may be started at any time. */
  window: PlannedWindow | null;
  migrations: PlannedMigration[];
  skipped: { unit: string; reason: string }[];
  /** Files that wait for a go of their own, and why. */
  held: { migration: string; reason: string }[];
  /** What it throws away, in words: a rollback over files that drop data. */
  losses: string[];
  /** What `check migrations` says of the files; with one of level error the run is refused. */
  findings: Finding[];
  /** Pools whose tables are not as their entries in the configuration say: settled when the last wave has succeeded. */
  pools?: PoolSettlement[];
  /** How long it takes by what earlier runs took, in milliseconds; null when there were none. */
  predictedMs: number | null;
  current: number;
}
