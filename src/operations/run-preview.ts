import type { RunPlan, WavePlan } from '../core/report.js';
import type { RunPolicy } from '../core/run-policy.js';
import { medianUnitMs } from '../engine/catalog/run-units.js';
import type { Fleet } from '../engine/context.js';
import { lockSummary } from '../engine/ledger/locks/summary.js';
import type { PlannedWave } from '../engine/waves/plan.js';
import { windowInWords } from '../engine/waves/window.js';
import type { PreparedRun } from './runs/prepared.js';

/** What a run would do, for `--dry-run`. */
export async function previewOf(
  fleet: Fleet,
  { kind, surveyed, waves, policy, held, losses, findings }: PreparedRun,
): Promise<RunPlan> {
  const pending = new Map(surveyed.flatMap(({ pending: files }) => files.map((file) => [file.id, file])));
  const direction = kind === 'rollback' ? -1 : 1;
  return {
    waves: waves.map((wave, index) => planOf(wave, policy, index === waves.length - 1)),
    window: policy.window === null ? null : windowInWords(policy.window),
    migrations: [...pending.values()]
      .sort((a, b) => direction * (a.id - b.id))
      .map((migration) => ({
        id: migration.id,
        name: migration.name,
        phase: migration.directives.phase,
        transactional: !migration.directives.noTransaction && !migration.directives.batched,
        locks: lockSummary(migration),
      })),
    skipped: surveyed.flatMap(({ unit, skip, fault }) => {
      const reason = skip ?? fault?.message;
      return reason === undefined ? [] : [{ unit: unit.id, reason }];
    }),
    held,
    losses,
    findings,
    predictedMs: await predict(fleet, waves),
    current: surveyed.filter(
      ({ pending: files, skip, fault }) => files.length === 0 && skip === null && fault === null,
    ).length,
  };
}

/** There is no next wave for the last one to hold back; its checks are asked all the same. */
function planOf({ name, units }: PlannedWave, { waves }: RunPolicy, last: boolean): WavePlan {
  const settings = waves.find((wave) => wave.name === name);
  return {
    name,
    units: units.map(({ unit }) => unit.id),
    tenants: units.reduce((sum, { unit }) => sum + unit.tenantCount, 0),
    checks: settings?.checks.length ?? 0,
    bakeMs: last ? 0 : (settings?.bakeMs ?? 0),
    approve: !last && settings?.approve === true,
  };
}

/** Each wave takes as long as its fullest lane, at the speed that units had in earlier runs. */
async function predict(fleet: Fleet, waves: readonly PlannedWave[]): Promise<number | null> {
  const { ms } = await fleet.catalog(medianUnitMs);
  if (ms === null) return null;
  return Math.round(waves.reduce((sum, { units }) => sum + fullestLane(units) * ms, 0));
}

function fullestLane(units: PlannedWave['units']): number {
  const lanes = new Map<string, number>();
  for (const { lane } of units) lanes.set(lane, (lanes.get(lane) ?? 0) + 1);
  return Math.max(0, ...lanes.values());
}
