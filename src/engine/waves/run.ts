import { TOOL_VERSION } from '../../core/version.js';
import type { EventFault } from '../../core/events.js';
import type { WaveReport } from '../../core/report.js';
import { setWaveStatus } from '../catalog/runs.js';
import type { Fleet } from '../context.js';
import { applyPending } from '../ledger/apply.js';
import type { MigrationTarget } from '../ledger/target.js';
import { Journal } from './journal.js';
import type { LaneExecutor } from './lanes.js';
import type { PlannedUnit, PlannedWave } from './plan.js';
import type { SurveyedUnit } from './survey.js';

/** How one unit ended. */
export interface UnitResult {
  surveyed: SurveyedUnit;
  wave: string;
  error: unknown;
  ms: number;
}

export interface RunJob {
  run: string;
  waves: PlannedWave[];
  surveyed: ReadonlyMap<string, SurveyedUnit>;
  /** Puts an error into the words of events and rows. */
  faultOf: (error: unknown) => EventFault;
}

export interface RunResult {
  units: UnitResult[];
  waves: WaveReport[];
  interrupted: boolean;
}

/**
 * Takes a planned run through its waves. A failure concerns its own unit; an interruption lets the units
 * that have begun end and starts no other.
 */
export async function executeRun(fleet: Fleet, executor: LaneExecutor, job: RunJob): Promise<RunResult> {
  const journal = new Journal(fleet, job.run);
  const results: UnitResult[] = [];
  const waves: WaveReport[] = [];
  for (const [ordinal, wave] of job.waves.entries()) {
    waves.push(
      fleet.signal.aborted
        ? notStarted(wave)
        : await executeWave(fleet, executor, job, journal, results, ordinal, wave),
    );
  }
  await journal.flush();
  return { units: results, waves, interrupted: fleet.signal.aborted };
}

function notStarted({ name, units }: PlannedWave): WaveReport {
  return { name, status: 'pending', units: units.length, succeeded: 0, failed: 0 };
}

async function executeWave(
  fleet: Fleet,
  executor: LaneExecutor,
  job: RunJob,
  journal: Journal,
  results: UnitResult[],
  ordinal: number,
  wave: PlannedWave,
): Promise<WaveReport> {
  fleet.emit({ type: 'wave.started', wave: wave.name, units: wave.units.length }, job.run);
  await fleet.catalog((connection) => setWaveStatus(connection, job.run, ordinal, 'running'));
  const before = results.length;
  await executor.submit(wave.units);
  await executor.work(async (planned) => {
    results.push(await executeUnit(fleet, job, journal, wave.name, planned));
  }, fleet.signal);
  const ended = results.slice(before);
  const failed = ended.filter(({ error }) => error !== undefined).length;
  const succeeded = ended.length - failed;
  const status = failed > 0 ? 'failed' : ended.length < wave.units.length ? 'pending' : 'succeeded';
  await journal.flush();
  if (status !== 'pending')
    await fleet.catalog((connection) => setWaveStatus(connection, job.run, ordinal, status));
  fleet.emit({ type: 'wave.finished', wave: wave.name, succeeded, failed }, job.run);
  return { name: wave.name, status, units: wave.units.length, succeeded, failed };
}

async function executeUnit(
  fleet: Fleet,
  job: RunJob,
  journal: Journal,
  wave: string,
  { unit }: PlannedUnit,
): Promise<UnitResult> {
  const surveyed = job.surveyed.get(unit.id) as SurveyedUnit;
  const began = performance.now();
  fleet.emit({ type: 'unit.started', unit: unit.id, tier: unit.tier, wave }, job.run);
  const error = await migrateUnit(fleet, job.run, surveyed).catch(
    (failure: unknown) => failure ?? new Error('unknown'),
  );
  const ms = Math.round(performance.now() - began);
  fleet.reach('migrate.unit-committed');
  const fault = error === undefined ? null : job.faultOf(error);
  const newest = surveyed.migrations.at(-1);
  const status = fault === null ? 'succeeded' : 'failed';
  journal.note(
    {
      unit: unit.id,
      status,
      reason: fault?.code ?? null,
      to: fault === null ? (newest?.id ?? null) : null,
      fault,
      ms,
    },
    fault === null && newest !== undefined ? { id: newest.id, name: newest.name } : undefined,
  );
  fleet.emit({ type: 'unit.finished', unit: unit.id, outcome: status, ms, fault }, job.run);
  return { surveyed, wave, error, ms };
}

async function migrateUnit(
  fleet: Fleet,
  run: string,
  { unit, migrations, ledger }: SurveyedUnit,
): Promise<void> {
  const { tenancy, rollout } = fleet.settings;
  const target: MigrationTarget = { unit, tenancy, rollout, run, toolVersion: TOOL_VERSION };
  await fleet.managed(unit.cluster, unit.database, async (connection) => {
    connection.touched += 1;
    await applyPending(connection, target, migrations, ledger);
  });
}
