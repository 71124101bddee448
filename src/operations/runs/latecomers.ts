import { wavesInsert, runUnitsInsert, readWaves } from '../../engine/catalog/runs.js';
import { readRunUnits } from '../../engine/catalog/run-units.js';
import { listUnits } from '../../engine/catalog/units.js';
import type { Fleet } from '../../engine/context.js';
import type { Migration } from '../../engine/ledger/migration.js';
import { capsOf } from '../../engine/waves/caps.js';
import type { RunHelp, RunWave } from '../../engine/waves/job.js';
import { patiently, writePatiently } from '../../engine/waves/journal.js';
import { planLateWave } from '../../engine/waves/plan.js';
import { surveyUnits } from '../../engine/waves/survey.js';
import { MOVING, wantMigrations } from '../../engine/waves/wishes.js';
import type { StoredRun } from '../../engine/catalog/runs.js';

const LATE_WAVE = 'late';

/**
 * Units that the run does not know and that are behind it, because they were made by an older checkout
 * while it went on, and units whose tenant was moving and has arrived. They become a wave of their own.
 */
export async function findLatecomers(
  fleet: Fleet,
  run: StoredRun,
  migrations: readonly Migration[],
): ReturnType<RunHelp['latecomers']> {
  if (run.kind === 'rollback') return null;
  const { known, waves, records } = await patiently(() =>
    fleet.catalog(async (connection) => ({
      known: new Map((await readRunUnits(connection, run.id)).map((unit) => [unit.unit, unit])),
      waves: await readWaves(connection, run.id),
      records: await listUnits(connection, run.selection),
    })),
  );
  const candidates = records.filter((record) => {
    const unit = known.get(record.id);
    return unit === undefined || (unit.status === 'skipped' && unit.reason === MOVING && !record.moving);
  });
  const surveyed = await surveyUnits(fleet, candidates, wantMigrations(migrations, run.target?.id ?? 0));
  const late = surveyed.filter(
    ({ pending, skip, fault }) => pending.length > 0 && skip === null && fault === null,
  );
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
