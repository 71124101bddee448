import type { WaveSettings } from '../../core/settings.js';
import type { MigrationUnit } from '../../core/unit.js';
import type { StoredRun } from '../catalog/runs.js';
import type { StoredFault } from '../catalog/run-units.js';
import type { MigrationTarget } from '../ledger/target.js';
import type { Connection } from '../../pg/connection.js';
import type { PlannedUnit } from './plan.js';
import type { SurveyedUnit } from './survey.js';

/** A wave of a stored run, with what is still open in it. */
export interface RunWave {
  ordinal: number;
  name: string;
  status: string;
  /** What the policy says of it; null for a wave of ours. */
  settings: WaveSettings | null;
  needsApproval: boolean;
  /** Units that are still to be done, in their order. */
  open: PlannedUnit[];
  /** Every unit that has its place here. */
  all: string[];
  /** Those of them that were recorded as done when the run was loaded. */
  done: ReadonlySet<string>;
  /** All its units that count, and how many of them have failed so far. */
  units: number;
  failed: number;
  /** A pool among those that failed, or null. */
  failedPool: string | null;
  /** Units of it were rolled back because of failures, or are still to be: it does not go forward again by itself. */
  takenBack: boolean;
}

/** A unit that a move holds. */
export interface HeldUnit {
  unit: string;
  /** The move, in words. */
  by: string;
  /** For how long. */
  ms: number;
}

/** What the engine needs to be told by whoever knows tiers, hooks and shapes. */
export interface RunHelp {
  /** Puts an error into the words of rows and events. */
  faultOf(error: unknown, unit: MigrationUnit): StoredFault;
  /** Compares units that were just done with what they should look like; what differs, in words. */
  proveShapes(units: readonly SurveyedUnit[]): Promise<Map<string, string[]>>;
  /** Asks the health checks of a wave for these units; one sentence for each that does not hold. */
  checkHealth(
    wave: WaveSettings,
    units: readonly SurveyedUnit[],
  ): Promise<{ unit: string; problem: string }[]>;
  /** Units that came up, or arrived, while the run went on; stored as a wave of their own. Null when there are none. */
  latecomers(): Promise<{ wave: RunWave; surveyed: SurveyedUnit[] } | null>;
  /** Units that were left out because moves held them, and that are held still. */
  held(): Promise<HeldUnit[]>;
  /** What this run did to the units of a wave, as it is to be taken back: their ledgers are read anew. */
  undo(wave: RunWave): Promise<SurveyedUnit[]>;
}

/** What is done with one unit. Gives the migrations that were applied or taken back. */
export type UnitWork = (connection: Connection, target: MigrationTarget, unit: SurveyedUnit) => Promise<void>;

export interface RunJob {
  run: StoredRun;
  waves: RunWave[];
  surveyed: Map<string, SurveyedUnit>;
  /** All units of the run that count against its budget, and the failures that do so already. */
  units: number;
  failed: number;
  work: UnitWork;
  help: RunHelp;
  /** Stay and wait at gates, instead of leaving the run waiting? */
  wait: boolean;
  /** Stop after this wave, which is not the last; or null. */
  through: { ordinal: number; name: string } | null;
}
