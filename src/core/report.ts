import type { RunStatus, UnitTotals } from './events.js';
import type { UnitVersion } from './unit.js';

/** What a run did, or has done so far: text, JSON and exit code all come from this one document. */
export interface RunReport {
  /** Null when there was nothing to do, so that no run was stored. */
  run: string | null;
  kind: 'migrate' | 'rollback';
  status: RunStatus;
  to: UnitVersion | null;
  totals: UnitTotals & { current: number };
  waves: WaveReport[];
  failures: UnitFailure[];
  skipped: { unit: string; reason: string }[];
  durationMs: number;
}

export interface WaveReport {
  name: string;
  status: 'pending' | 'succeeded' | 'failed';
  units: number;
  succeeded: number;
  failed: number;
}

export interface UnitFailure {
  unit: string;
  tenants: string[];
  code: string;
  migration: string | null;
  sqlstate: string | null;
  message: string;
  file: string | null;
  line: number | null;
  attempts: number;
}

/** What `--dry-run` shows of a run. */
export interface RunPlan {
  waves: { name: string; units: string[]; tenants: number }[];
  migrations: { id: number; name: string; phase: 'expand' | 'contract' | null; transactional: boolean }[];
  skipped: { unit: string; reason: string }[];
  current: number;
}
