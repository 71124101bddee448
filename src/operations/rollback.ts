import { conflictError } from '../core/errors.js';
import type { RunPlan, RunReport } from '../core/report.js';
import type { RunPolicy } from '../core/run-policy.js';
import type { Selector } from '../core/selector.js';
import type { RolloutSettings } from '../core/settings.js';
import type { StoredRun } from '../engine/catalog/runs.js';
import type { Fleet } from '../engine/context.js';
import type { LedgerEntry } from '../engine/ledger/entries.js';
import { findMigration } from '../engine/ledger/find.js';
import type { Migration } from '../engine/ledger/migration.js';
import { waysBack } from '../engine/ledger/way-back.js';
import { type SurveyedUnit, surveyUnits } from '../engine/waves/survey.js';
import { wantBack, wantMigrations } from '../engine/waves/wishes.js';
import type { UnitVersion } from '../core/unit.js';
import { startRun, wouldLoseData } from './migrate.js';
import { previewOf } from './run-preview.js';
import { refuseUntellable } from './runs/untellable.js';
import { onceFree } from './runs/held.js';
import { joinRun, joinable } from './runs/join.js';
import { findOne } from './runs/pick.js';
import { withRunLock } from './runs/lock.js';
import { type PreparedRun, laidOut } from './runs/prepared.js';
import { indexVersions } from './runs/record.js';
import { idleReport } from './runs/report.js';
import { loadFleetMigrations } from './migrations.js';
import { selectUnits } from './select-units.js';

export interface RollbackRequest {
  /** Back to this migration, which stays; `0` for before the first. */
  to?: string;
  /** Back over what this run did. */
  run?: string;
  select: Selector;
  concurrency?: number;
  allowDataLoss: boolean;
  wait: boolean;
  dryRun: boolean;
}

/**
 * Takes migrations back with their down files, newest first, in the waves of the policy and without their gates: down
 * to a version, or exactly what one run did.
 * @returns the run's report; with `dryRun` the plan
 * @throws refusal (exit 6) `IRREVERSIBLE` naming every file without a way back, `WOULD_LOSE_DATA` when down
 *   files drop data and nobody has agreed, `POOL_PARTLY_SELECTED` for half a pool · conflict (exit 5) when
 *   nothing is selected, another run is unfinished or under way
 */
export async function rollback(
  fleet: Fleet,
  request: RollbackRequest,
): Promise<RunReport | { plan: RunPlan }> {
  if (request.dryRun) return { plan: await previewOf(fleet, await prepareRollback(fleet, request)) };
  return withRunLock(fleet, async (connection) => {
    const began = performance.now();
    const prepared = await onceFree(fleet, request.wait, () => prepareRollback(fleet, request));
    const unfinished = await joinable(fleet, connection, prepared);
    await indexVersions(connection, prepared.surveyed);
    const options = { wait: request.wait, through: null, planDigest: null };
    if (unfinished !== null) return joinRun(fleet, connection, unfinished, options);
    if (prepared.waves.length === 0) return idleReport(prepared, began);
    return startRun(fleet, connection, prepared, options);
  });
}

async function prepareRollback(fleet: Fleet, request: RollbackRequest): Promise<PreparedRun> {
  const migrations = await loadFleetMigrations(fleet);
  const { rollout } = fleet.settings;
  const ofRun = request.run === undefined ? null : await runToTakeBack(fleet, request.run);
  const target = targetOf(migrations, request.to);
  const taken = (entry: LedgerEntry): boolean =>
    ofRun === null ? entry.id > (target?.id ?? 0) : entry.run === ofRun.id;
  const units = await selectUnits(fleet, request.select, false);
  const seen = await surveyUnits(fleet, units, wantMigrations(migrations, Infinity));
  const files = filesTaken(migrations, seen, taken);
  const ways = waysBack(files, migrations);
  const losses = ways.flatMap((way) => way.losses.map((loss) => `${way.migration.name}: ${loss}`));
  if (losses.length > 0 && !request.allowDataLoss && !request.dryRun) throw wouldLoseData(losses);
  const wish = wantBack(ways, taken);
  const surveyed = seen.map((unit) =>
    unreadable(unit) ? unit : { ...unit, ...wish(unit.unit, unit.ledger) },
  );
  requireNothingUpon(surveyed, ofRun);
  refuseUntellable(surveyed);
  const policy = rollbackPolicy(rollout, request);
  return {
    kind: 'rollback',
    target,
    ofRun: ofRun?.id ?? null,
    selection: request.select,
    policy,
    files,
    all: migrations,
    held: [],
    losses,
    findings: [],
    surveyed,
    waves: await laidOut(fleet, policy, surveyed),
  };
}

/**
 * A rollback is wanted now: it goes in the same waves, under the same budget and throttle, and waits for no gate,
 * bake time, check or window.
 */
function rollbackPolicy(rollout: RolloutSettings, request: RollbackRequest): RunPolicy {
  return {
    ...rollout,
    waves: rollout.waves.map((wave) => ({ ...wave, bakeMs: 0, approve: false, checks: [] })),
    window: null,
    concurrency: request.concurrency ?? rollout.concurrency,
    // A rollback of a rollback would be the migration again.
    onFailure: rollout.onFailure === 'rollback' ? 'halt' : rollout.onFailure,
    contract: false,
    allowDataLoss: request.allowDataLoss,
  };
}

function targetOf(migrations: readonly Migration[], to: string | undefined): UnitVersion | null {
  if (to === undefined || /^0+$/.test(to)) return null;
  const { id, name } = findMigration(migrations, to);
  return { id, name };
}

/** What is built upon stays: that is said before the first unit, not by each of them at its turn. */
function requireNothingUpon(surveyed: readonly SurveyedUnit[], ofRun: StoredRun | null): void {
  const upon = surveyed.flatMap(({ unit, fault }) =>
    fault?.code === 'BUILT_UPON' ? [{ unit: unit.id, message: fault.message }] : [],
  );
  const [first] = upon;
  if (first === undefined) return;
  const more = upon.length > 1 ? ` So have ${upon.length - 1} others.` : '';
  throw conflictError('BUILT_UPON', `${first.message}${more}`, {
    hint: 'Take those back first, go back to a version with `tenantctl rollback --to <migration>`, or leave these units out with --select.',
    facts: { run: ofRun?.id ?? null, units: upon.map(({ unit }) => unit) },
  });
}

function unreadable({ fault }: SurveyedUnit): boolean {
  return fault !== null && fault.code !== 'UNIT_AHEAD';
}

/** The files that at least one unit gives up. */
function filesTaken(
  migrations: readonly Migration[],
  seen: readonly SurveyedUnit[],
  taken: (entry: LedgerEntry) => boolean,
): Migration[] {
  const ids = new Set(seen.flatMap(({ ledger }) => ledger.filter(taken).map(({ id }) => id)));
  return migrations.filter(({ id }) => ids.has(id));
}

async function runToTakeBack(fleet: Fleet, wanted: string): Promise<StoredRun> {
  const run = await fleet.catalog((connection) => findOne(connection, wanted));
  if (run?.kind === 'migrate' && run.finishedAt !== null) return run;
  throw conflictError(
    'RUN_NOT_TAKEN_BACK',
    run === undefined
      ? `There is no run ${wanted}.`
      : run.kind === 'rollback'
        ? `Run ${wanted} is a rollback itself.`
        : `Run ${wanted} is ${run.status} and has not finished.`,
    { hint: '`tenantctl runs list` shows them; `tenantctl runs abort` ends an unfinished one first.' },
  );
}
