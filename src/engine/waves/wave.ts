import type { WaveStatus } from '../../core/report.js';
import { waveStatusUpdate } from '../catalog/run-control.js';
import { Brake } from './brake.js';
import type { Drive } from './drive.js';
import { checkWave } from './health.js';
import type { RunWave } from './job.js';
import type { LaneExecutor } from './lanes.js';
import type { PlannedUnit } from './plan.js';
import { ShapeProof } from './shape-proof.js';
import type { SurveyedUnit } from './survey.js';
import { type UnitResult, executeUnit } from './unit.js';

/** What is counted while a wave runs. */
interface Tally {
  succeeded: number;
  failed: number;
}

/**
 * Runs the open units of a wave on the lanes, proves their shape and asks the wave's health checks. When
 * the budget is spent, units that have begun end and no other starts.
 */
export async function executeWave(drive: Drive, executor: LaneExecutor, wave: RunWave): Promise<void> {
  const { fleet, job } = drive;
  const tally = { succeeded: 0, failed: wave.failed };
  fleet.emit({ type: 'wave.started', wave: wave.name, units: wave.open.length }, job.run.id);
  await drive.write(waveStatusUpdate(job.run.id, wave.ordinal, 'running'));
  drive.failures.startWave(wave.name, wave.units, wave.failed);
  const brake = new Brake(drive, wave);
  const proof = new ShapeProof(drive, () => {
    tally.succeeded -= 1;
    tally.failed += 1;
  });
  await executor.submit(wave.open);
  await executor.work(async (planned) => {
    if (drive.control.isSkipped(planned.unit.id) || !(await brake.release())) return;
    note(drive, proof, tally, await runUnit(drive, wave, planned));
  }, drive.signal);
  await proof.finish();
  await drive.journal.flush();
  wave.failed = tally.failed;
  if (drive.stop === null) await checkWave(drive, wave);
  fleet.emit({ type: 'wave.finished', wave: wave.name, ...tally }, job.run.id);
}

/** How a wave stands that has no open units left and has passed its gate. */
export function finalStatus({ failed }: RunWave): WaveStatus {
  return failed > 0 ? 'failed' : 'succeeded';
}

async function runUnit(drive: Drive, wave: RunWave, { unit }: PlannedUnit): Promise<UnitResult> {
  const { fleet, job, journal } = drive;
  const surveyed = job.surveyed.get(unit.id) as SurveyedUnit;
  fleet.emit({ type: 'unit.started', unit: unit.id, tier: unit.tier, wave: wave.name }, job.run.id);
  journal.began(unit.id);
  const result = await executeUnit(fleet, job, surveyed);
  fleet.reach('migrate.unit-committed');
  journal.ended(result.outcome, result.migrations);
  return result;
}

function note(
  drive: Drive,
  proof: ShapeProof,
  tally: Tally,
  { surveyed, outcome, counts }: UnitResult,
): void {
  const { fleet, job } = drive;
  const { unit, status, fault, ms } = outcome;
  if (status === 'pending') return;
  const shown = status === 'rolled-back' ? 'rolledBack' : status === 'running' ? 'unchanged' : status;
  fleet.emit({ type: 'unit.finished', unit, outcome: shown, ms: ms ?? 0, fault }, job.run.id);
  if (status === 'succeeded') {
    tally.succeeded += 1;
    drive.failures.note(false);
    proof.add(surveyed);
  }
  if (!counts) return;
  tally.failed += 1;
  const exceeded = drive.failures.note(true);
  if (surveyed.unit.shared) drive.breach(`${unit} failed, and a pool is many tenants at once`);
  else if (exceeded !== null) drive.breach(exceeded);
}
