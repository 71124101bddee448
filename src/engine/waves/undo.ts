import { waveStatusUpdate } from '../catalog/run-control.js';
import { takeBack } from '../ledger/take-back.js';
import type { Drive } from './drive.js';
import { capsOf } from './caps.js';
import type { RunJob, RunWave, UnitWork } from './job.js';
import type { LaneExecutor } from './lanes.js';
import { planLateWave } from './plan.js';
import type { SurveyedUnit } from './survey.js';
import { executeUnit } from './unit.js';

/**
 * Takes back exactly what this run did to the units of one wave, newest migration first, on the lanes.
 * @returns null when all of it is taken back, otherwise what is left, as half a sentence
 */
export async function undoWave(drive: Drive, executor: LaneExecutor, wave: RunWave): Promise<string | null> {
  const { fleet, job } = drive;
  const found = await job.help.undo(wave);
  noteTakenBack(drive, wave, found.filter(isClear));
  const units = found.filter((unit) => !isClear(unit));
  const surveyed = new Map(units.map((unit) => [unit.unit.id, unit]));
  const backwards: RunJob = {
    ...job,
    run: { ...job.run, kind: 'rollback' },
    work: takeBackWork,
  };
  let left = units.length;
  const planned = planLateWave(
    units.map(({ unit, pages }) => ({ unit, pages, named: new Set<string>() })),
    'name',
    capsOf(fleet, job.run.policy),
  );
  await executor.submit(planned);
  await executor.work(async ({ unit }) => {
    const result = await executeUnit(fleet, backwards, surveyed.get(unit.id) as SurveyedUnit, drive.journal);
    const { outcome } = result;
    fleet.reach('migrate.unit-taken-back');
    const back = outcome.status === 'succeeded';
    if (back) left -= 1;
    drive.journal.ended(back ? { ...outcome, status: 'rolled-back' } : outcome, result.migrations);
    const shown = back ? 'rolledBack' : 'failed';
    fleet.emit(
      { type: 'unit.finished', unit: unit.id, outcome: shown, ms: outcome.ms ?? 0, fault: outcome.fault },
      job.run.id,
    );
  }, fleet.signal);
  await drive.journal.flush();
  fleet.reach('migrate.wave-taken-back');
  if (left > 0) return `${left} units of wave ${wave.name} are not rolled back`;
  await drive.write(waveStatusUpdate(job.run.id, wave.ordinal, 'rolled-back'));
  await drive.decide('rolled back', `wave ${wave.name}: ${units.length} units`);
  return null;
}

/** Nothing of this run is left on it. */
function isClear({ pending, fault }: SurveyedUnit): boolean {
  return pending.length === 0 && fault === null;
}

/** A crash may come between a way back and its record: what is recorded as done and has nothing left is rolled back. */
function noteTakenBack({ journal }: Drive, { done }: RunWave, clear: readonly SurveyedUnit[]): void {
  for (const { unit, version } of clear) {
    if (!done.has(unit.id)) continue;
    const outcome = { status: 'rolled-back' as const, reason: null, to: version, fault: null, ms: null };
    journal.ended({ unit: unit.id, ...outcome }, []);
  }
}

/** Only what the unit still has: a connection may have been lost after the first of several ways back. */
export const takeBackWork: UnitWork = (connection, target, { pending, ledger }) => {
  const present = new Set(ledger.map(({ id }) => id));
  return takeBack(
    connection,
    target,
    pending.filter(({ id }) => present.has(id)),
  );
};
