import { randomUUID } from 'node:crypto';
import { conflictError, refusedError } from '../core/errors.js';
import type { RunPlan, RunReport } from '../core/report.js';
import type { Selector } from '../core/selector.js';
import { writeAudit } from '../engine/catalog/audit.js';
import { writeVersions } from '../engine/catalog/places.js';
import { closeAbandonedRuns, finishRun, insertRun } from '../engine/catalog/runs.js';
import { type UnitRecord, listUnits } from '../engine/catalog/units.js';
import type { Fleet } from '../engine/context.js';
import { digestOf } from '../engine/ledger/files.js';
import { findMigration } from '../engine/ledger/find.js';
import { type Migration, loadMigrations } from '../engine/ledger/migration.js';
import { inProcessLanes } from '../engine/waves/lanes.js';
import { type PlannedWave, planWaves } from '../engine/waves/plan.js';
import { type RunResult, executeRun } from '../engine/waves/run.js';
import { type SurveyedUnit, surveyUnits } from '../engine/waves/survey.js';
import type { Connection } from '../pg/connection.js';
import { tryWithLock } from '../pg/locks.js';
import { faultOf } from './fault.js';
import { indexBy } from '../core/group-by.js';
import { reportOf } from './run-report.js';

export interface MigrateRequest {
  /** The migration to go to, by number or name; the newest when left out. */
  to?: string;
  select: Selector;
  concurrency?: number;
  allowEmpty: boolean;
  dryRun: boolean;
}

/** Everything that is known before anything is changed. */
interface Preparation {
  migrations: Migration[];
  target: Migration | null;
  surveyed: SurveyedUnit[];
  waves: PlannedWave[];
}

/**
 * Brings every selected unit to the newest migration, or to the one named. Can be run again at any time:
 * what is applied is in the ledgers beside the data, so an interrupted run goes on where it stopped.
 * @returns the run's report, whose `failures` tell what is left; with `dryRun` the plan
 * @throws configuration error (exit 3) for files that cannot run or were edited · conflict (exit 5) when
 *   nothing is selected or another run is under way · refusal (exit 6) for half a pool
 */
export async function migrate(fleet: Fleet, request: MigrateRequest): Promise<RunReport | { plan: RunPlan }> {
  if (request.dryRun) return { plan: previewOf(await prepare(fleet, request)) };
  return fleet.catalog(async (connection) => {
    const done = await tryWithLock(connection, 'cluster', 'run', () => run(fleet, connection, request));
    if (done !== undefined) return done.value;
    throw conflictError('RUN_IN_PROGRESS', 'Another run is under way on this fleet.', {
      hint: '`tenantctl status` shows it. Wait for it and run the same command again.',
    });
  });
}

async function run(fleet: Fleet, connection: Connection, request: MigrateRequest): Promise<RunReport> {
  const began = performance.now();
  const prepared = await prepare(fleet, request);
  await indexVersions(connection, prepared.surveyed);
  if (prepared.waves.length === 0) {
    return reportOf({
      run: null,
      target: prepared.target,
      surveyed: prepared.surveyed,
      result: null,
      waves: [],
      began,
    });
  }
  const id = randomUUID();
  await recordRun(fleet, connection, id, request, prepared);
  fleet.reach('migrate.planned');
  const units = prepared.waves.flatMap((wave) => wave.units);
  const tenants = units.reduce((sum, { unit }) => sum + unit.tenantCount, 0);
  fleet.emit({
    type: 'run.started',
    kind: 'migrate',
    units: units.length,
    tenants,
    target: prepared.target?.name ?? null,
  });
  const executor = inProcessLanes();
  const surveyed = indexBy(prepared.surveyed, ({ unit }) => unit.id);
  const result = await executeRun(fleet, executor, { run: id, waves: prepared.waves, surveyed, faultOf });
  await executor.close();
  fleet.reach('migrate.finished');
  return close(fleet, connection, id, prepared, result, began);
}

async function prepare(fleet: Fleet, request: MigrateRequest): Promise<Preparation> {
  const migrations = await loadMigrations(fleet.settings.migrations.directory);
  const target =
    request.to === undefined ? (migrations.at(-1) ?? null) : findMigration(migrations, request.to);
  const units = await fleet.catalog((connection) => listUnits(connection, request.select));
  if (units.length === 0 && !request.allowEmpty) throw nothingSelected(request);
  for (const unit of units) refuseHalfPool(unit);
  const surveyed = await surveyUnits(fleet, units, migrations, target?.id ?? 0);
  const open = surveyed.filter(
    ({ pending, skip, fault }) => pending.length > 0 && skip === null && fault === null,
  );
  const waves = planWaves(
    open.map(({ unit }) => unit),
    {
      concurrency: request.concurrency ?? fleet.settings.rollout.concurrency,
      cluster: (name) => fleet.cluster(name).maxConnections,
      database: (cluster) => fleet.cluster(cluster).maxPerDatabase,
    },
  );
  return { migrations, target, surveyed, waves };
}

/** The catalog is an index of what the survey has just read. */
async function indexVersions(connection: Connection, surveyed: readonly SurveyedUnit[]): Promise<void> {
  const changed = surveyed.filter(
    ({ unit, version, fault }) => fault === null && unit.version?.id !== version?.id,
  );
  await writeVersions(
    connection,
    changed.map(({ unit, version }) => ({ unit: unit.id, version })),
  );
}

async function recordRun(
  fleet: Fleet,
  connection: Connection,
  id: string,
  request: MigrateRequest,
  { migrations, target, surveyed, waves }: Preparation,
): Promise<void> {
  const versions = new Map(surveyed.map(({ unit, version }) => [unit.id, version?.id ?? null]));
  const frozen = migrations.filter((file) => file.id <= (target?.id ?? 0));
  const details = {
    to: target?.name ?? null,
    units: waves.reduce((sum, { units }) => sum + units.length, 0),
  };
  await connection.transaction(async () => {
    const abandoned = await closeAbandonedRuns(connection, id);
    await insertRun(connection, fleet.actor, {
      id,
      target,
      filesHash: digestOf(frozen),
      selection: request.select,
      migrations: frozen.map(({ id: number, name, checksum, directives }) => ({
        id: number,
        name,
        checksum,
        phase: directives.phase,
      })),
      waves: waves.map(({ name }) => name),
      units: waves.flatMap(({ units }, wave) =>
        units.map(({ unit, lane, ordinal }) => ({
          unit: unit.id,
          wave,
          ordinal,
          lane,
          tenants: unit.tenantCount,
          from: versions.get(unit.id) ?? null,
        })),
      ),
    });
    await writeAudit(connection, fleet.actor, {
      action: 'run.migrate',
      phase: 'intent',
      run: id,
      details: { ...details, abandoned },
    });
  });
}

async function close(
  fleet: Fleet,
  connection: Connection,
  id: string,
  { target, surveyed, waves }: Preparation,
  result: RunResult,
  began: number,
): Promise<RunReport> {
  const report = reportOf({ run: id, target, surveyed, result, waves, began });
  const phase = report.failures.length === 0 ? 'done' : 'failed';
  const reason = result.interrupted ? 'interrupted; run `tenantctl migrate` again' : null;
  await connection.transaction(async () => {
    await finishRun(connection, id, report.status, reason);
    await writeAudit(connection, fleet.actor, {
      action: 'run.migrate',
      phase,
      run: id,
      details: { ...report.totals },
    });
  });
  fleet.emit({
    type: 'run.finished',
    status: report.status,
    totals: report.totals,
    durationMs: report.durationMs,
  });
  return report;
}

function previewOf({ surveyed, waves }: Preparation): RunPlan {
  const pending = new Map(surveyed.flatMap(({ pending: files }) => files.map((file) => [file.id, file])));
  return {
    waves: waves.map(({ name, units }) => ({
      name,
      units: units.map(({ unit }) => unit.id),
      tenants: units.reduce((sum, { unit }) => sum + unit.tenantCount, 0),
    })),
    migrations: [...pending.values()]
      .sort((a, b) => a.id - b.id)
      .map(({ id, name, directives }) => ({
        id,
        name,
        phase: directives.phase,
        transactional: !directives.noTransaction && !directives.batched,
      })),
    skipped: surveyed.flatMap(({ unit, skip, fault }) => {
      const reason = skip ?? fault?.message;
      return reason === undefined ? [] : [{ unit: unit.id, reason }];
    }),
    current: surveyed.filter(
      ({ pending: files, skip, fault }) => files.length === 0 && skip === null && fault === null,
    ).length,
  };
}

function refuseHalfPool(unit: UnitRecord): void {
  if (unit.selected === unit.tenantCount || unit.tier !== 'pool') return;
  throw refusedError(
    'POOL_PARTLY_SELECTED',
    `The selection holds ${unit.selected} of the ${unit.tenantCount} tenants of ${unit.id}; a pool migrates as a whole.`,
    {
      hint: `Select it as unit=${unit.id}, or leave pools out with tier!=pool.`,
      facts: { unit: unit.id, selected: unit.selected, tenants: unit.tenantCount },
    },
  );
}

function nothingSelected({ select }: MigrateRequest) {
  return conflictError(
    'NOTHING_SELECTED',
    select.length === 0 ? 'The fleet has no units yet.' : 'No unit matches the selection.',
    {
      hint:
        select.length === 0
          ? '`tenantctl provision <id>` makes the first tenant; --allow-empty accepts an empty fleet.'
          : 'Check --select with `tenantctl list`; --allow-empty accepts an empty selection.',
    },
  );
}
