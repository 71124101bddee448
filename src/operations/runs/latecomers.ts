import { tenantsBetweenHomes } from '../../engine/catalog/holds.js';
import { wavesInsert, runUnitsInsert, readWaves } from '../../engine/catalog/runs.js';
import { readRunUnits } from '../../engine/catalog/run-units.js';
import { listUnits } from '../../engine/catalog/units.js';
import type { Fleet } from '../../engine/context.js';
import { capsOf } from '../../engine/waves/caps.js';
import type { RunHelp, RunWave } from '../../engine/waves/job.js';
import { patiently, writePatiently } from '../../engine/waves/journal.js';
import { LATE_WAVE } from '../../engine/waves/held.js';
import { planLateWave } from '../../engine/waves/plan.js';
import { type SurveyedUnit, surveyUnits } from '../../engine/waves/survey.js';
import { isMoving } from '../../engine/waves/wishes.js';
import { type LoadedRun, wishOf } from './load.js';

/**
 * Units that the run does not know and that are behind it, because they were made by an older checkout
 * while it went on, and units that a move has held and let go. They become a wave of their own. A rollback comes back to
 * the latter only.
 */
export async function findLatecomers(
  fleet: Fleet,
  { run, files }: LoadedRun,
): ReturnType<RunHelp['latecomers']> {
  const { known, waves, records, between } = await patiently(() =>
    fleet.catalog(async (connection) => ({
      known: new Map((await readRunUnits(connection, run.id)).map((unit) => [unit.unit, unit])),
      waves: await readWaves(connection, run.id),
      records: await listUnits(connection, run.selection),
      between: await tenantsBetweenHomes(connection),
    })),
  );
  const candidates = records.filter((record) => {
    const unit = known.get(record.id);
    if (unit === undefined) return run.kind === 'migrate';
    return unit.status === 'skipped' && isMoving(unit.reason) && record.moving === null;
  });
  const surveyed = await surveyUnits(fleet, candidates, wishOf(run, files, files));
  const late = surveyed.filter((unit) => isDue(unit) && (between.length === 0 || !isContract(unit)));
  if (late.length === 0) return null;
  const ordinal = waves.length;
  const name = waves.some((wave) => wave.name === LATE_WAVE) ? `${LATE_WAVE}-${ordinal}` : LATE_WAVE;
  const open = planLateWave(
    late.map(({ unit, pages }) => ({ unit, pages, named: new Set<string>() })),
    run.policy.order,
    capsOf(fleet, run.policy),
  );
  const wave: RunWave = {
    ordinal,
    name,
    status: 'pending',
    needsApproval: false,
    settings: null,
    all: open.map(({ unit }) => unit.id),
    units: open.length,
    failed: 0,
    failedPool: null,
    done: new Set(),
    takenBack: false,
    open,
  };
  const versions = new Map(late.map(({ unit, version }) => [unit.id, version?.id ?? null]));
  await writePatiently(fleet, [
    wavesInsert(run.id, ordinal, [{ name, needsApproval: false }]),
    runUnitsInsert(
      run.id,
      open.map(({ unit, lane, pages, ordinal: turn }) => ({
        unit: unit.id,
        wave: ordinal,
        ordinal: turn,
        lane,
        pages,
        tenants: unit.tenantCount,
        from: versions.get(unit.id) ?? null,
        status: 'pending',
        reason: null,
      })),
    ),
  ]);
  return { wave, surveyed: late };
}

function isDue({ pending, skip, fault }: SurveyedUnit): boolean {
  return pending.length > 0 && skip === null && fault === null;
}

/** Such a file waits for moves to end; this one has begun since the run was made, and the next run says so. */
function isContract({ pending }: SurveyedUnit): boolean {
  return pending.some(({ directives }) => directives.phase === 'contract');
}
