import type { RunStatus } from '../core/events.js';
import type { RunReport, UnitFailure } from '../core/report.js';
import type { Migration } from '../engine/ledger/migration.js';
import { faultOf as migrationFaultOf } from '../engine/ledger/fault.js';
import type { PlannedWave } from '../engine/waves/plan.js';
import type { RunResult, UnitResult } from '../engine/waves/run.js';
import type { SurveyedUnit } from '../engine/waves/survey.js';
import { faultOf } from './fault.js';

export interface RunFacts {
  run: string | null;
  target: Migration | null;
  surveyed: readonly SurveyedUnit[];
  waves: readonly PlannedWave[];
  /** Null when there was nothing to run. */
  result: RunResult | null;
  /** `performance.now()` at the start. */
  began: number;
}

/** The report of a run, from what was surveyed, planned and done. */
export function reportOf({ run, target, surveyed, waves, result, began }: RunFacts): RunReport {
  const ended = result?.units ?? [];
  const failures = [
    ...unreachable(surveyed),
    ...ended.filter(({ error }) => error !== undefined).map(failureOf),
  ];
  const skipped = surveyed.flatMap(({ unit, skip }) =>
    skip === null ? [] : [{ unit: unit.id, reason: skip }],
  );
  const planned = waves.reduce((sum, { units }) => sum + units.length, 0);
  const failed = failures.length;
  const succeeded = ended.filter(({ error }) => error === undefined).length;
  const pending = planned - ended.length;
  return {
    run,
    kind: 'migrate',
    status: statusOf(result?.interrupted ?? false, pending, failed, succeeded),
    to: target === null ? null : { id: target.id, name: target.name },
    totals: {
      units: surveyed.length,
      tenants: surveyed.reduce((sum, { unit }) => sum + unit.tenantCount, 0),
      succeeded,
      failed,
      skipped: skipped.length,
      rolledBack: 0,
      pending,
      current: surveyed.length - planned - skipped.length - (failed - (ended.length - succeeded)),
    },
    waves: result?.waves ?? [],
    failures,
    skipped,
    durationMs: Math.round(performance.now() - began),
  };
}

function statusOf(interrupted: boolean, pending: number, failed: number, succeeded: number): RunStatus {
  if (interrupted && pending > 0) return 'paused';
  if (failed === 0) return 'succeeded';
  return succeeded > 0 ? 'partial' : 'failed';
}

function unreachable(surveyed: readonly SurveyedUnit[]): UnitFailure[] {
  return surveyed.flatMap(({ unit, fault }) =>
    fault === null
      ? []
      : [
          {
            unit: unit.id,
            tenants: unit.tenants,
            ...faultOf(fault),
            migration: null,
            file: null,
            line: null,
            attempts: 0,
          },
        ],
  );
}

function failureOf({ surveyed: { unit }, error }: UnitResult): UnitFailure {
  const { migration, file, line } = migrationFaultOf(unit, error);
  return { unit: unit.id, tenants: unit.tenants, ...faultOf(error), migration, file, line, attempts: 1 };
}
