import { groupBy } from '../../core/group-by.js';
import type { WaveStatus } from '../../core/report.js';
import { databaseKey } from '../../core/unit.js';
import { waveStatusUpdate } from '../catalog/run-control.js';
import { Brake } from './brake.js';
import { Confirmation } from './confirmation.js';
import type { Drive } from './drive.js';
import type { RunJob, RunWave } from './job.js';
import type { LaneExecutor } from './lanes.js';
import type { PlannedUnit } from './plan.js';
import { ShapeProof } from './shape-proof.js';
import type { Stop } from './stop.js';
import type { SurveyedUnit } from './survey.js';
import { type UnitResult, executeUnit } from './unit.js';

/** What is counted while a wave runs. */
interface Tally {
  succeeded: number;
  failed: number;
  /** Another process had them for longer than was waited. */
  busy: number;
  /** Neither done nor left out. */
  left: number;
}

/**
 * Runs the open units of a wave on the lanes and proves their shape. When the budget is spent, units that
 * have begun end and no other starts.
 * @returns how many of its units are still open
 */
export async function executeWave(drive: Drive, executor: LaneExecutor, wave: RunWave): Promise<number> {
  const { fleet, job } = drive;
  const tally = { succeeded: 0, failed: wave.failed, busy: 0, left: wave.open.length };
  // A wave that is only looked at once more has nothing to show.
  const shown = wave.open.length > 0;
  if (shown) fleet.emit({ type: 'wave.started', wave: wave.name, units: wave.open.length }, job.run.id);
  await drive.write(waveStatusUpdate(job.run.id, wave.ordinal, 'running'));
  const brake = new Brake(drive, wave);
  const proof = new ShapeProof(drive, (unit, status) => {
    if (!wave.done.has(unit)) tally.succeeded -= 1;
    if (status === 'failed') tally.failed += 1;
  });
  const ended = (result: UnitResult): void => note(drive, proof, tally, result);
  const confirmation = new Confirmation(drive, ended);
  const shared = databasesOfMany(wave.open);
  for (const unit of unproved(job, wave)) proof.add(unit);
  await executor.submit(wave.open);
  await executor.work(async (planned) => {
    if (drive.control.isSkipped(planned.unit.id)) tally.left -= 1;
    else if (await brake.release()) {
      const result = await runUnit(drive, wave, planned, shared.has(databaseKey(planned.unit)));
      if (result.outcome.status === 'succeeded') drive.failures.note(false);
      if (result.unconfirmed) confirmation.add(result);
      else ended(result);
    }
  }, drive.signal);
  await confirmation.finish();
  await proof.finish();
  await drive.journal.flush();
  wave.failed = tally.failed;
  const { succeeded, failed, busy, left } = tally;
  if (shown) fleet.emit({ type: 'wave.finished', wave: wave.name, succeeded, failed }, job.run.id);
  if (busy > 0 && drive.stop === null) drive.end(stillBusy(wave, busy));
  return left;
}

/** Units that an earlier process has done in this wave, of which it may not have proved all before it ended. */
export function unproved({ surveyed }: RunJob, { status, done, open }: RunWave): SurveyedUnit[] {
  if (status !== 'running') return [];
  const undone = new Set(open.map(({ unit }) => unit.id));
  return [...done].flatMap((unit) => (undone.has(unit) ? [] : (surveyed.get(unit) ?? [])));
}

/** How a wave stands that has no open units left and has passed its gate. */
export function finalStatus({ failed }: RunWave): WaveStatus {
  return failed > 0 ? 'failed' : 'succeeded';
}

/** Why the failure of a pool is one too many. */
export function poolFailed(unit: string): string {
  return `${unit} failed, and a pool is many tenants at once`;
}

/** A wave is not passed without them, and being busy is no failure. */
function stillBusy({ name }: RunWave, busy: number): Stop {
  const reason = `wave ${name}: another process is at work on ${busy} of its units`;
  return { kind: 'waiting', for: 'command', reason };
}

/** Databases in which there is more than one unit to do: only there it pays to confirm them together. */
function databasesOfMany(units: readonly PlannedUnit[]): Set<string> {
  const databases = groupBy(units, ({ unit }) => databaseKey(unit));
  return new Set([...databases].flatMap(([database, { length }]) => (length > 1 ? [database] : [])));
}

async function runUnit(
  drive: Drive,
  wave: RunWave,
  { unit }: PlannedUnit,
  flushedLater: boolean,
): Promise<UnitResult> {
  const { fleet, job, journal } = drive;
  const surveyed = job.surveyed.get(unit.id) as SurveyedUnit;
  fleet.emit({ type: 'unit.started', unit: unit.id, tier: unit.tier, wave: wave.name }, job.run.id);
  journal.began(unit.id);
  fleet.reach('migrate.unit-started');
  const result = await executeUnit(fleet, job, surveyed, journal, { flushedLater, again: false });
  fleet.reach('migrate.unit-committed');
  return result;
}

function note(
  drive: Drive,
  proof: ShapeProof,
  tally: Tally,
  { surveyed, outcome, migrations, counts }: UnitResult,
): void {
  const { fleet, job } = drive;
  drive.journal.ended(outcome, migrations);
  const { unit, status, fault, ms } = outcome;
  if (status === 'pending') tally.busy += 1;
  if (status === 'pending') return;
  tally.left -= 1;
  const shown = status === 'rolled-back' ? 'rolledBack' : status === 'running' ? 'unchanged' : status;
  fleet.emit({ type: 'unit.finished', unit, outcome: shown, ms: ms ?? 0, fault }, job.run.id);
  if (status === 'succeeded') {
    tally.succeeded += 1;
    proof.add(surveyed);
  }
  if (!counts) return;
  tally.failed += 1;
  const exceeded = drive.failures.note(true);
  if (surveyed.unit.shared) drive.halt(poolFailed(unit));
  else if (exceeded !== null) drive.breach(exceeded);
}
