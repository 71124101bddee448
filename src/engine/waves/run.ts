import { waveStatusUpdate } from '../catalog/run-control.js';
import type { Fleet } from '../context.js';
import { Drive } from './drive.js';
import { passGate } from './gate.js';
import { checkWave } from './health.js';
import { awaitMoves } from './held.js';
import type { RunJob, RunWave } from './job.js';
import { patiently } from './journal.js';
import type { LaneExecutor } from './lanes.js';
import type { Stop } from './stop.js';
import { undoWave } from './undo.js';
import { executeWave, finalStatus, poolFailed, unproved } from './wave.js';

/** Rounds of looking for units that came up meanwhile: each may take long enough for another to come. */
const LATE_ROUNDS = 3;

/**
 * Drives a stored run from where it is to its end, or to where it must stop. Everything it does is in the
 * ledgers and the catalog when it returns; called again after a crash it goes on.
 * @returns why it stopped, or null when every wave has ended
 */
export async function driveRun(fleet: Fleet, executor: LaneExecutor, job: RunJob): Promise<Stop | null> {
  const drive = new Drive(fleet, job);
  try {
    await patiently(() => drive.control.look());
    if (drive.stop !== null) return drive.stop;
    for (const [index, wave] of job.waves.entries()) {
      const last = index === job.waves.length - 1;
      const closed = await driveWave(drive, executor, wave, last);
      if (!closed) return await stopped(drive, executor, wave);
    }
    return await driveLate(drive, executor);
  } finally {
    await drive.close();
  }
}

/** Units that came up meanwhile, and those that moves have let go; told to wait, for the latter as well. */
async function driveLate(drive: Drive, executor: LaneExecutor): Promise<Stop | null> {
  const { fleet, job } = drive;
  for (let round = 0; round < LATE_ROUNDS && drive.stop === null;) {
    const late = await job.help.latecomers();
    if (late === null) {
      if (!(await awaitMoves(drive))) return null;
      round = 0;
      if (drive.stop !== null) return drive.stop;
      continue;
    }
    round += 1;
    fleet.reach('migrate.late');
    for (const surveyed of late.surveyed) job.surveyed.set(surveyed.unit.id, surveyed);
    const closed = await driveWave(drive, executor, late.wave, true);
    if (!closed) return stopped(drive, executor, late.wave);
  }
  return null;
}

/** @returns whether the wave has ended and the run may pass on from it; otherwise `drive.stop` says why not */
async function driveWave(
  drive: Drive,
  executor: LaneExecutor,
  wave: RunWave,
  last: boolean,
): Promise<boolean> {
  const { fleet, job } = drive;
  if (job.through !== null && wave.ordinal > job.through.ordinal) drive.end(toldToStop(job.through));
  resumeHalt(drive, wave);
  if (drive.stop !== null) return false;
  const open = wave.open.length > 0 || unproved(job, wave).length > 0;
  const left = open ? await executeWave(drive, executor, wave) : 0;
  if (drive.stop === null) {
    fleet.reach('migrate.wave-ended');
    await checkWave(drive, wave);
    if (drive.stop === null && !last) await passGate(drive, wave);
    if (drive.stop !== null) return false;
  } else if (left > 0 || !last || !isOver(drive, wave)) return false;
  await drive.write(waveStatusUpdate(job.run.id, wave.ordinal, finalStatus(wave)));
  fleet.reach('migrate.wave-closed');
  return true;
}

/** A run that was told to stop when its last unit was done has nothing to go on with, unless checks are to be asked. */
function isOver(drive: Drive, { settings }: RunWave): boolean {
  return drive.isDraining && (settings === null || settings.checks.length === 0);
}

function toldToStop({ name }: { name: string }): Stop {
  return { kind: 'waiting', for: 'command', reason: `it was told to stop after wave ${name}` };
}

/** A process that was killed when it was about to halt, or to roll back, has left that to this one. */
function resumeHalt(drive: Drive, wave: RunWave): void {
  if (drive.stop !== null) return;
  drive.failures.startWave(wave.name, wave.units, wave.failed);
  const exceeded = drive.failures.exceeded();
  if (wave.takenBack) {
    drive.end({ kind: 'halted', reason: `wave ${wave.name} was being rolled back when its process ended` });
  } else if (wave.failedPool !== null) drive.halt(poolFailed(wave.failedPool));
  else if (exceeded !== null) drive.breach(exceeded);
}

/** The budget was spent: the policy says whether what this run did to the wave is taken back. */
async function stopped(drive: Drive, executor: LaneExecutor, wave: RunWave): Promise<Stop | null> {
  const { stop } = drive;
  if (stop?.kind !== 'halted') return stop;
  const { fleet } = drive;
  fleet.reach('migrate.halted');
  await drive.decide('halted', stop.reason);
  await drive.write(waveStatusUpdate(drive.job.run.id, wave.ordinal, 'failed'));
  fleet.reach('migrate.halt-recorded');
  if (drive.job.run.policy.onFailure !== 'rollback') return stop;
  const problem = await undoWave(drive, executor, wave);
  if (problem !== null) return { kind: 'halted', reason: `${stop.reason}; ${problem}` };
  return { kind: 'rolled-back', reason: `${stop.reason}; wave ${wave.name} was rolled back` };
}
