import { waveStatusUpdate } from '../catalog/run-control.js';
import { takeBack } from '../ledger/take-back.js';
import type { Drive } from './drive.js';
import type { RunJob, RunWave } from './job.js';
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
  const units = (await job.help.undo(wave)).filter(
    ({ pending, fault }) => pending.length > 0 || fault !== null,
  );
  const surveyed = new Map(units.map((unit) => [unit.unit.id, unit]));
  const backwards: RunJob = {
    ...job,
    run: { ...job.run, kind: 'rollback' },
    work: (connection, target, unit) => takeBack(connection, target, unit.pending),
  };
  let failed = 0;
  const planned = planLateWave(
    units.map(({ unit, pages }) => ({ unit, pages, named: new Set<string>() })),
    'name',
    lanesOf(job, wave),
  );
  await executor.submit(planned);
  await executor.work(async ({ unit }) => {
    const result = await executeUnit(fleet, backwards, surveyed.get(unit.id) as SurveyedUnit);
    const { outcome } = result;
    const back = outcome.status === 'succeeded';
    if (!back) failed += 1;
    drive.journal.ended(back ? { ...outcome, status: 'rolled-back' } : outcome, result.migrations);
    const shown = back ? 'rolledBack' : 'failed';
    fleet.emit(
      { type: 'unit.finished', unit: unit.id, outcome: shown, ms: outcome.ms ?? 0, fault: outcome.fault },
      job.run.id,
    );
  }, fleet.signal);
  await drive.journal.flush();
  if (failed > 0) return `${failed} units of wave ${wave.name} could not be rolled back`;
  await drive.write(waveStatusUpdate(job.run.id, wave.ordinal, 'rolled-back'));
  await drive.decide('rolled back', `wave ${wave.name}: ${units.length} units`);
  return null;
}

/** As many lanes as the wave had. */
function lanesOf({ run }: RunJob, { open }: RunWave) {
  const lanes = new Set(open.map(({ lane }) => lane)).size;
  return {
    concurrency: run.policy.concurrency,
    cluster: () => Math.max(lanes, 1),
    database: () => Math.max(lanes, 1),
  };
}
