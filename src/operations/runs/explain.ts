import { shortId } from '../../core/short-id.js';
import { conflictError } from '../../core/errors.js';
import { type Decision, readDecisions } from '../../engine/catalog/run-control.js';
import { type StoredRun, type StoredWave, readWaves } from '../../engine/catalog/runs.js';
import { type StoredUnit, readRunUnits } from '../../engine/catalog/run-units.js';
import type { Fleet } from '../../engine/context.js';
import type { Connection } from '../../pg/connection.js';
import { sentencesAtWork } from './at-work.js';
import { isDriven } from './lock.js';
import { endOf, pickRun } from './pick.js';

export interface RunExplanation {
  run: string;
  status: string;
  /** Where the run is and why, in a sentence. */
  sentence: string;
  waves: { name: string; sentence: string }[];
  /** Why each unit that is not done is where it is. */
  units: { unit: string; status: string; sentence: string }[];
  /** Everything that was decided about it, oldest first. */
  decisions: Decision[];
  next: string[];
}

/**
 * Says in sentences why a run, its waves and its units are where they are.
 * @param only the unit that is asked for, or all that are not done
 * @throws conflict (exit 5) when there is no such run, or the unit is not part of it
 */
export async function explainRun(
  fleet: Fleet,
  wanted: string | undefined,
  only: string | undefined,
): Promise<RunExplanation> {
  return fleet.catalog(async (connection) => {
    const stored = await pickRun(connection, wanted);
    const run = await asItStands(connection, stored);
    const waves = await readWaves(connection, run.id);
    const units = await readRunUnits(connection, run.id);
    if (only !== undefined && !units.some(({ unit }) => unit === only)) throw notInRun(only, run);
    const atWork =
      run.status === 'running' ? await sentencesAtWork(fleet, connection, units) : new Map<string, string>();
    const open = units.filter(({ unit, status }) =>
      only === undefined ? status !== 'succeeded' : unit === only,
    );
    return {
      run: run.id,
      status: stored.status,
      sentence: runSentence(run, units),
      waves: waves.map((wave) => ({ name: wave.name, sentence: waveSentence(wave, run, units) })),
      units: open.map((unit) => ({
        unit: unit.unit,
        status: unit.status,
        sentence: atWork.get(unit.unit) ?? unitSentence(unit, run, waves),
      })),
      decisions: await readDecisions(connection, run.id),
      next: nextSteps(run, units),
    };
  });
}

/** A killed process leaves a run that says it is running. */
async function asItStands(connection: Connection, run: StoredRun): Promise<StoredRun> {
  if (run.status !== 'running' || (await isDriven(connection))) return run;
  return { ...run, status: 'paused', reason: 'its process has ended' };
}

function notInRun(unit: string, { id }: StoredRun) {
  return conflictError('UNIT_NOT_IN_RUN', `${unit} is not part of run ${shortId(id)}.`, {
    hint: `\`tenantctl runs show ${shortId(id)}\` lists its units.`,
    facts: { unit, run: id },
  });
}

function runSentence(run: StoredRun, units: readonly StoredUnit[]): string {
  const done = units.filter(({ status }) => status === 'succeeded' || status === 'rolled-back').length;
  const counted = `${done} of ${units.length} units are done`;
  const to = run.target === null ? '' : ` to ${run.target.name}`;
  const why = run.reason === null ? '' : `: ${run.reason}`;
  const what = run.kind === 'migrate' ? 'migration' : 'rollback';
  return `The ${what}${to} ${endOf(run.status) ?? `is ${run.status}`}${why}; ${counted}.`;
}

function waveSentence(
  { status, ordinal, approvedBy, bakeUntil }: StoredWave,
  run: StoredRun,
  units: readonly StoredUnit[],
): string {
  const own = units.filter(({ wave }) => wave === ordinal);
  const of = (wanted: string) => own.filter((unit) => unit.status === wanted).length;
  const counts = `${of('succeeded')} of ${own.length} units succeeded, ${of('failed')} failed`;
  const approved = approvedBy === null ? '' : `, approved by ${approvedBy}`;
  switch (status) {
    case 'pending':
      return run.finishedAt === null ? 'it has not begun' : 'it was never begun';
    case 'awaiting-window':
      return 'it waits for the time window to open';
    case 'running':
      return `it is under way: ${counts}`;
    case 'baking':
      return `it is watched until ${bakeUntil ?? 'its time is over'}: ${counts}`;
    case 'awaiting-approval':
      return approvedBy === null
        ? `it has ended (${counts}) and waits for approval: tenantctl runs approve ${shortId(run.id)}`
        : `it is approved by ${approvedBy}; tenantctl runs resume ${shortId(run.id)} goes on`;
    default:
      return `it ${status === 'rolled-back' ? 'was rolled back' : status}: ${counts}${approved}`;
  }
}

function unitSentence(unit: StoredUnit, run: StoredRun, waves: readonly StoredWave[]): string {
  const { status, reason, fault, attempts } = unit;
  switch (status) {
    case 'pending':
      return `pending: ${whyPending(unit, run, waves)}`;
    case 'running':
      return 'it was at work when its process ended; it is looked at again on resume';
    case 'failed': {
      const where = typeof fault?.migration === 'string' ? ` in ${fault.migration}` : '';
      const tries = attempts > 1 ? ` after ${attempts} attempts` : '';
      return `failed${where}${tries}: ${fault?.message ?? reason ?? 'no reason given'}`;
    }
    case 'skipped':
      return `skipped: ${reason ?? 'no reason given'}`;
    default:
      return status === 'succeeded' ? `done: ${versions(unit)}` : `rolled back: ${versions(unit)}`;
  }
}

function versions({ from, to }: StoredUnit): string {
  return `from ${from ?? 'nothing'} to ${to ?? 'nothing'}`;
}

function whyPending({ wave, reason }: StoredUnit, run: StoredRun, waves: readonly StoredWave[]): string {
  if (run.finishedAt !== null) return `the run was ${run.status} before its turn`;
  if (run.status === 'paused') return `the run is paused${run.reason === null ? '' : ` (${run.reason})`}`;
  const own = waves.find(({ ordinal }) => ordinal === wave);
  const before = waves.find(
    ({ ordinal, status }) => ordinal < wave && !['succeeded', 'failed'].includes(status),
  );
  if (before !== undefined) {
    const waiting: Record<string, string> = {
      'awaiting-approval': 'waits for approval',
      baking: 'is being watched',
      'awaiting-window': 'waits for the time window',
    };
    return `wave ${own?.name ?? wave} comes after wave ${before.name}, which ${waiting[before.status] ?? 'has not ended'}`;
  }
  if (own?.status === 'awaiting-window') return 'the time window is closed';
  return reason ?? 'its turn in the wave has not come';
}

function nextSteps({ id, status, finishedAt }: StoredRun, units: readonly StoredUnit[]): string[] {
  const short = shortId(id);
  const failed = units.some((unit) => unit.status === 'failed');
  const again = failed ? [`tenantctl runs retry ${short}`] : [];
  if (finishedAt !== null) return status === 'partial' || status === 'failed' ? again : [];
  const abort = `tenantctl runs abort ${short}`;
  if (status === 'running') return [`tenantctl runs watch ${short}`, `tenantctl runs pause ${short}`];
  return [...again, `tenantctl runs resume ${short}`, abort];
}
