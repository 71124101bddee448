import { randomUUID } from 'node:crypto';
import { refusedError } from '../core/errors.js';
import type { RunPlan, RunReport } from '../core/report.js';
import type { RunPolicy } from '../core/run-policy.js';
import type { Selector } from '../core/selector.js';
import type { OnFailure } from '../core/settings.js';
import { tenantsBetweenHomes } from '../engine/catalog/holds.js';
import { readWaves } from '../engine/catalog/runs.js';
import { listUnits } from '../engine/catalog/units.js';
import type { Fleet } from '../engine/context.js';
import { findMigration } from '../engine/ledger/find.js';
import type { Migration } from '../engine/ledger/migration.js';
import { waysBack } from '../engine/ledger/way-back.js';
import { type SurveyedUnit, surveyUnits } from '../engine/waves/survey.js';
import { wantMigrations } from '../engine/waves/wishes.js';
import type { Connection } from '../pg/connection.js';
import { previewSettlements, settlePools } from './pool-settlement.js';
import { previewOf } from './run-preview.js';
import { conductRun, requireRun } from './runs/conduct.js';
import { contractBarrier } from './runs/contract-phase.js';
import { onceFree } from './runs/held.js';
import { joinRun, joinable } from './runs/join.js';
import { withRunLock } from './runs/lock.js';
import { type PreparedRun, laidOut } from './runs/prepared.js';
import { indexVersions, recordRun } from './runs/record.js';
import { emptyWaveReport, idleReport } from './runs/report.js';
import { type SavedPlan, applicable } from './runs/saved-plan.js';
import { stopAfter } from './runs/stop-after.js';
import { refuseUntellable } from './runs/untellable.js';
import { findingsOfPending, refuseUnsafe } from './runs/unsafe.js';
import { loadFleetMigrations } from './migrations.js';
import { selectUnits } from './select-units.js';

export interface MigrateRequest {
  /** The migration to go to, by number or name; the newest when left out. */
  to?: string;
  select: Selector;
  concurrency?: number;
  onFailure?: OnFailure;
  /** Give contract-phase files a go. */
  contract?: boolean;
  /** Consent to down files that drop data, for a run that rolls back on failure. */
  allowDataLoss?: boolean;
  /** Agree that pool tables are opened which the configuration only observes. */
  allowOpening?: boolean;
  /** Stop after this wave. */
  wave?: string;
  /** Stay at gates until they open. */
  wait?: boolean;
  allowEmpty: boolean;
  dryRun: boolean;
  /** A saved plan to follow; it says what the run does, the rest of the request only how. */
  plan?: SavedPlan;
}

/**
 * Brings every selected unit to the newest migration, or to the one named, in the waves of the policy. An
 * unfinished run of the same files and selection is joined: what failed is tried again, the rest goes on.
 * @returns the run's report, whose `failures` tell what is left; with `dryRun` the plan
 * @throws configuration error (exit 3) for files that cannot run or were edited · conflict (exit 5) when
 *   nothing is selected, another run is unfinished or under way · refusal (exit 6) for half a pool, for files
 *   that would block or break applications, and for a run that could not be rolled back as its policy says
 */
export async function migrate(fleet: Fleet, request: MigrateRequest): Promise<RunReport | { plan: RunPlan }> {
  const settling = { allowOpening: request.allowOpening ?? false };
  if (request.dryRun) {
    const prepared = await prepareMigrate(fleet, request);
    const pools = await previewSettlements(fleet, prepared.surveyed, settling);
    return { plan: { ...(await previewOf(fleet, prepared)), ...(pools.length > 0 && { pools }) } };
  }
  return withRunLock(fleet, async (connection) => {
    const began = performance.now();
    const { plan } = request;
    const wanted = plan === undefined ? request : planned(request, plan);
    const now = await onceFree(fleet, request.wait ?? false, () => prepareMigrate(fleet, wanted));
    const prepared = plan === undefined ? now : await applicable(connection, plan, now);
    const unfinished = await joinable(fleet, connection, prepared);
    const waves = unfinished === null ? prepared.waves : await readWaves(connection, unfinished.id);
    const { wave } = request;
    const through = wave === undefined ? null : stopAfter(waves, unfinished?.policy ?? prepared.policy, wave);
    if (wave !== undefined && through === null && waves.length > 0)
      return emptyWaveReport(prepared, wave, began);
    // A run that is under way was looked over when it began.
    if (unfinished === null) refuseUnsafe(prepared.findings);
    await indexVersions(connection, prepared.surveyed);
    const options = {
      wait: request.wait ?? false,
      through,
      planDigest: plan?.digest ?? null,
    };
    const run = async (): Promise<RunReport> => {
      if (unfinished !== null) return held(await joinRun(fleet, connection, unfinished, options), prepared);
      if (prepared.waves.length === 0) return idleReport(prepared, began);
      return held(await startRun(fleet, connection, prepared, options), prepared);
    };
    // A saved plan says what is done, and pools are not in it.
    return plan === undefined ? settlePools(fleet, await run(), prepared.surveyed, settling) : run();
  });
}

/** Stores a prepared run and drives it. */
export async function startRun(
  fleet: Fleet,
  connection: Connection,
  prepared: PreparedRun,
  options: { wait: boolean; through: string | null; planDigest: string | null },
): Promise<RunReport> {
  const id = randomUUID();
  await recordRun(fleet, connection, id, prepared, options.planDigest);
  fleet.reach('migrate.recorded');
  return conductRun(fleet, connection, await requireRun(connection, id), options, prepared);
}

/** The request that a plan was made from. */
function planned(request: MigrateRequest, { target, selection, policy }: SavedPlan): MigrateRequest {
  const { contract, allowDataLoss, onFailure, concurrency } = policy;
  const to = target === null ? {} : { to: target.name };
  return { ...request, ...to, select: selection, contract, allowDataLoss, onFailure, concurrency };
}

const held = (report: RunReport, prepared: PreparedRun): RunReport => ({ ...report, held: prepared.held });

/** Surveys the fleet and plans a run, changing nothing. */
export async function prepareMigrate(fleet: Fleet, request: MigrateRequest): Promise<PreparedRun> {
  const selecting = selectUnits(fleet, request.select, request.allowEmpty);
  // Files that cannot run are told before a selection that is empty.
  selecting.catch(() => undefined);
  const migrations = await loadFleetMigrations(fleet);
  const wanted = request.to === undefined ? migrations.at(-1) : findMigration(migrations, request.to);
  const units = await selecting;
  const policy = policyOf(fleet, request);
  const surveyed = await surveyUnits(fleet, units, wantMigrations(migrations, wanted?.id ?? 0));
  const barrier = contractBarrier(
    migrations,
    surveyed,
    await versionsOf(fleet, request.select, surveyed),
    await fleet.catalog(tenantsBetweenHomes),
    policy.contract,
  );
  const upTo = Math.min(wanted?.id ?? 0, barrier?.upTo ?? Infinity);
  const allowed = barrier === null ? surveyed : anew(surveyed, migrations, upTo);
  const target = migrations.findLast(({ id }) => id <= upTo) ?? null;
  const files = migrations.filter(({ id }) => id <= upTo);
  if (policy.onFailure === 'rollback') requireWayBack(allowed, policy);
  refuseUntellable(allowed);
  return {
    kind: 'migrate',
    target: target === null ? null : { id: target.id, name: target.name },
    ofRun: null,
    selection: request.select,
    policy,
    files,
    all: migrations,
    held: barrier === null ? [] : [barrier.held],
    losses: [],
    findings: await findingsOfPending(fleet, migrations, allowed),
    surveyed: allowed,
    waves: await laidOut(fleet, policy, allowed),
  };
}

function policyOf({ settings: { rollout } }: Fleet, request: MigrateRequest): RunPolicy {
  return {
    ...rollout,
    concurrency: request.concurrency ?? rollout.concurrency,
    onFailure: request.onFailure ?? rollout.onFailure,
    contract: request.contract ?? false,
    allowDataLoss: request.allowDataLoss ?? false,
  };
}

/** The version of every unit of the fleet: as surveyed, otherwise as the catalog has it. */
async function versionsOf(fleet: Fleet, select: Selector, surveyed: readonly SurveyedUnit[]) {
  const units =
    select.length === 0
      ? surveyed.map(({ unit }) => unit)
      : await fleet.catalog((connection) => listUnits(connection, []));
  const seen = new Map(surveyed.map(({ unit, version }) => [unit.id, version]));
  return units.map(({ id, tier, version }) => ({
    id,
    tier,
    version: seen.has(id) ? (seen.get(id) ?? null) : version,
  }));
}

/** The same units with another target; those that could not be read stay as they are. */
function anew(
  surveyed: readonly SurveyedUnit[],
  migrations: readonly Migration[],
  upTo: number,
): SurveyedUnit[] {
  const wish = wantMigrations(migrations, upTo);
  return surveyed.map((unit) => (unit.fault === null ? { ...unit, ...wish(unit.unit, unit.ledger) } : unit));
}

/** A run that is to be rolled back on failure must be able to: that is found out before its first unit, not at 4 a.m. */
function requireWayBack(surveyed: readonly SurveyedUnit[], { allowDataLoss }: RunPolicy): void {
  const pending = new Map(surveyed.flatMap((unit) => unit.pending.map((file) => [file.id, file])));
  const losses = waysBack([...pending.values()]).flatMap((way) =>
    way.losses.map((loss) => `${way.migration.name}: ${loss}`),
  );
  if (losses.length > 0 && !allowDataLoss) throw wouldLoseData(losses, ', or choose --on-failure halt');
}

/** Down files throw data away, and nobody has agreed to that. */
export function wouldLoseData(losses: readonly string[], otherwise = '') {
  return refusedError(
    'WOULD_LOSE_DATA',
    ['Rolling back throws data away:', ...losses.map((line) => `  ${line}`)].join('\n'),
    { hint: `Agree with --allow-data-loss${otherwise}.`, facts: { losses } },
  );
}
