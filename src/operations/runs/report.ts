import type { RunReport, UnitFailure, WaveReport } from '../../core/report.js';
import { type StoredRun, findRun, readWaves } from '../../engine/catalog/runs.js';
import { type StoredUnit, readRunUnits, tenantsOfUnits } from '../../engine/catalog/run-units.js';
import type { SurveyedUnit } from '../../engine/waves/survey.js';
import type { Connection } from '../../pg/connection.js';
import { storedFault } from './help.js';
import type { PreparedRun } from './prepared.js';

/** The report of a stored run, from its rows: the same from every terminal, while it runs and afterwards. */
export async function readReport(connection: Connection, id: string): Promise<RunReport> {
  const run = (await findRun(connection, id)) as StoredRun;
  const units = await readRunUnits(connection, id);
  const waves = await readWaves(connection, id);
  const failed = units.filter(({ status }) => status === 'failed');
  const tenants = await tenantsOfUnits(
    connection,
    failed.map(({ unit }) => unit),
  );
  const count = (...statuses: string[]) => units.filter(({ status }) => statuses.includes(status)).length;
  return {
    run: id,
    kind: run.kind,
    status: run.status,
    reason: run.reason,
    to: run.target,
    totals: {
      units: units.length,
      tenants: units.reduce((sum, unit) => sum + unit.tenants, 0),
      succeeded: count('succeeded'),
      failed: failed.length,
      skipped: count('skipped'),
      rolledBack: count('rolled-back'),
      pending: count('pending', 'running'),
      current: run.unchanged,
    },
    waves: waves.map(({ name, status, ordinal }) =>
      waveReport(
        name,
        status,
        units.filter((unit) => unit.wave === ordinal),
      ),
    ),
    failures: failed.map((unit) =>
      failureOf(unit, waves.find(({ ordinal }) => ordinal === unit.wave)?.name, tenants.get(unit.unit) ?? []),
    ),
    held: [],
    skipped: units.flatMap(({ unit, status, reason }) =>
      status === 'skipped' ? [{ unit, reason: reason ?? 'no reason given' }] : [],
    ),
    durationMs:
      (run.finishedAt === null ? Date.now() : Date.parse(run.finishedAt)) - Date.parse(run.startedAt),
  };
}

function waveReport(name: string, status: WaveReport['status'], units: readonly StoredUnit[]): WaveReport {
  const counted = units.filter((unit) => unit.status !== 'skipped');
  return {
    name,
    status,
    units: counted.length,
    succeeded: counted.filter((unit) => unit.status === 'succeeded').length,
    failed: counted.filter((unit) => unit.status === 'failed').length,
    durationMs: counted.reduce((sum, { ms }) => sum + (ms ?? 0), 0),
  };
}

function failureOf(
  { unit, fault, attempts, reason }: StoredUnit,
  wave: string | undefined,
  tenants: string[],
): UnitFailure {
  return {
    unit,
    wave: wave ?? null,
    tenants,
    code: fault?.code ?? reason ?? 'UNKNOWN',
    migration: fault?.migration ?? null,
    sqlstate: fault?.sqlstate ?? null,
    message: fault?.message ?? 'no reason given',
    file: fault?.file ?? null,
    line: fault?.line ?? null,
    attempts,
  };
}

/** The report of a call that found nothing to do, so that no run was stored. */
export function idleReport({ kind, target, surveyed, held }: PreparedRun, began: number): RunReport {
  const failures = surveyed.flatMap((unit) => (unit.fault === null ? [] : [surveyFailure(unit)]));
  const faultless = surveyed.filter(({ fault, skip }) => fault === null && skip === null);
  const current = new Set(faultless.filter(({ pending }) => pending.length === 0));
  const others = surveyed.filter((unit) => !current.has(unit));
  const skipped = surveyed.flatMap(({ unit, skip }) =>
    skip === null ? [] : [{ unit: unit.id, reason: skip }],
  );
  return {
    run: null,
    kind,
    status: failures.length === 0 ? 'succeeded' : 'failed',
    reason: null,
    to: target,
    totals: {
      units: others.length,
      tenants: others.reduce((sum, { unit }) => sum + unit.tenantCount, 0),
      succeeded: 0,
      failed: failures.length,
      skipped: skipped.length,
      rolledBack: 0,
      pending: faultless.length - current.size,
      current: current.size,
    },
    waves: [],
    failures,
    held,
    skipped,
    durationMs: Math.round(performance.now() - began),
  };
}

/**
 * The report of a call that was told to stop after a wave of which no unit is behind, nor of one before it: others may
 * be, and are not visited.
 */
export function emptyWaveReport(prepared: PreparedRun, wave: string, began: number): RunReport {
  const { totals, ...idle } = idleReport(prepared, began);
  return {
    ...idle,
    status: 'succeeded',
    reason: `no unit of wave ${wave} is behind`,
    totals: { ...totals, failed: 0, pending: totals.pending + totals.failed },
    failures: [],
  };
}

function surveyFailure({ unit, fault }: SurveyedUnit): UnitFailure {
  const { code, sqlstate, message, migration, file, line } = storedFault(fault, unit);
  return {
    unit: unit.id,
    wave: null,
    tenants: unit.tenants,
    code,
    sqlstate,
    message,
    migration,
    file,
    line,
    attempts: 0,
  };
}
