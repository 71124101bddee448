import { randomUUID } from 'node:crypto';
import { conflictError, refusedError } from '../core/errors.js';
import { indexBy } from '../core/group-by.js';
import type { RunPlan, RunReport } from '../core/report.js';
import type { Selector } from '../core/selector.js';
import { type UnitRecord, listUnits } from '../engine/catalog/units.js';
import type { Fleet } from '../engine/context.js';
import { findMigration } from '../engine/ledger/find.js';
import { loadMigrations } from '../engine/ledger/migration.js';
import { inProcessLanes } from '../engine/waves/lanes.js';
import { planWaves } from '../engine/waves/plan.js';
import { executeRun } from '../engine/waves/run.js';
import { surveyUnits } from '../engine/waves/survey.js';
import type { Connection } from '../pg/connection.js';
import { tryWithLock } from '../pg/locks.js';
import { faultOf } from './fault.js';
import { previewOf } from './run-preview.js';
import { type PreparedRun, closeLeftovers, closeRun, indexVersions, recordRun } from './run-record.js';
import { reportOf } from './run-report.js';

export interface MigrateRequest {
  /** The migration to go to, by number or name; the newest when left out. */
  to?: string;
  select: Selector;
  concurrency?: number;
  allowEmpty: boolean;
  dryRun: boolean;
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
    if (isWhole(request, prepared)) await closeLeftovers(fleet, connection);
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
  await recordRun(fleet, connection, id, request.select, prepared);
  fleet.reach('migrate.planned');
  const units = prepared.waves.flatMap((wave) => wave.units);
  const tenants = units.reduce((sum, { unit }) => sum + unit.tenantCount, 0);
  fleet.emit(
    {
      type: 'run.started',
      kind: 'migrate',
      units: units.length,
      tenants,
      target: prepared.target?.name ?? null,
    },
    id,
  );
  const executor = inProcessLanes();
  const surveyed = indexBy(prepared.surveyed, ({ unit }) => unit.id);
  const result = await executeRun(fleet, executor, { run: id, waves: prepared.waves, surveyed, faultOf });
  await executor.close();
  fleet.reach('migrate.finished');
  return closeRun(fleet, connection, id, prepared, result, began);
}

/** Has the call looked at every unit up to the newest migration, and could it read them all? */
function isWhole({ select, to }: MigrateRequest, { surveyed }: PreparedRun): boolean {
  return (
    select.length === 0 &&
    to === undefined &&
    surveyed.every(({ skip, fault }) => skip === null && fault === null)
  );
}

async function prepare(fleet: Fleet, request: MigrateRequest): Promise<PreparedRun> {
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

function refuseHalfPool(unit: UnitRecord): void {
  if (unit.selected === unit.tenantCount || !unit.shared) return;
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
