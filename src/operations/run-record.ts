import type { RunReport } from '../core/report.js';
import type { Selector } from '../core/selector.js';
import { auditInsert } from '../engine/catalog/audit.js';
import { versionsUpdate } from '../engine/catalog/places.js';
import { type NewRun, closeAbandonedRuns, runFinish, runInserts } from '../engine/catalog/runs.js';
import type { Fleet } from '../engine/context.js';
import { digestOf } from '../engine/ledger/files.js';
import type { Migration } from '../engine/ledger/migration.js';
import type { PlannedWave } from '../engine/waves/plan.js';
import type { RunResult } from '../engine/waves/run.js';
import type { SurveyedUnit } from '../engine/waves/survey.js';
import type { Connection } from '../pg/connection.js';
import { reportOf } from './run-report.js';

/** Everything that is known of a run before anything is changed. */
export interface PreparedRun {
  migrations: Migration[];
  target: Migration | null;
  surveyed: SurveyedUnit[];
  waves: PlannedWave[];
}

/** The catalog is an index of what the survey has just read from the ledgers. */
export async function indexVersions(
  connection: Connection,
  surveyed: readonly SurveyedUnit[],
): Promise<void> {
  const changed = surveyed.filter(
    ({ unit, version, fault }) => fault === null && unit.version?.id !== version?.id,
  );
  if (changed.length === 0) return;
  await connection.execute(versionsUpdate(changed.map(({ unit, version }) => ({ unit: unit.id, version }))));
}

/** Stores a run before its first unit is touched, and takes over what killed processes left open. */
export async function recordRun(
  fleet: Fleet,
  connection: Connection,
  id: string,
  selection: Selector,
  prepared: PreparedRun,
): Promise<void> {
  const run = newRun(id, selection, prepared);
  await connection.transaction(async () => {
    const abandoned = await closeAbandonedRuns(connection, id);
    const details = { to: prepared.target?.name ?? null, units: run.units.length, abandoned };
    const intent = auditInsert(fleet.actor, { action: 'run.migrate', phase: 'intent', run: id, details });
    for (const statement of [...runInserts(fleet.actor, run), intent]) await connection.execute(statement);
  });
}

/** Closes what killed processes left open, when a look at the whole fleet has found nothing left to do. */
export async function closeLeftovers(fleet: Fleet, connection: Connection): Promise<void> {
  await connection.transaction(async () => {
    for (const run of await closeAbandonedRuns(connection, null)) {
      const entry = { action: 'run.migrate', phase: 'failed', run, details: { abandoned: true } } as const;
      await connection.execute(auditInsert(fleet.actor, entry));
    }
  });
}

/** Writes how a run ended. */
export async function closeRun(
  fleet: Fleet,
  connection: Connection,
  id: string,
  { target, surveyed, waves }: PreparedRun,
  result: RunResult,
  began: number,
): Promise<RunReport> {
  const report = reportOf({ run: id, target, surveyed, result, waves, began });
  const { status, totals, durationMs, failures } = report;
  const phase = failures.length === 0 ? 'done' : 'failed';
  const reason = result.interrupted ? 'interrupted; run `tenantctl migrate` again' : null;
  await connection.atomically([
    runFinish(id, status, reason),
    auditInsert(fleet.actor, { action: 'run.migrate', phase, run: id, details: { ...totals } }),
  ]);
  fleet.emit({ type: 'run.finished', status, totals, durationMs }, id);
  return report;
}

function newRun(
  id: string,
  selection: Selector,
  { migrations, target, surveyed, waves }: PreparedRun,
): NewRun {
  const versions = new Map(surveyed.map(({ unit, version }) => [unit.id, version?.id ?? null]));
  const frozen = migrations.filter((file) => file.id <= (target?.id ?? 0));
  return {
    id,
    target,
    selection,
    filesHash: digestOf(frozen),
    migrations: frozen.map((file) => ({
      id: file.id,
      name: file.name,
      checksum: file.checksum,
      phase: file.directives.phase,
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
  };
}
