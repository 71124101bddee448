import { isTenantctlError } from '../core/errors.js';
import { rulesOfPool, tenancyOf } from '../core/pool-rules.js';
import type { PoolSettlement, RunReport, UnitFailure } from '../core/report.js';
import type { MigrationUnit } from '../core/unit.js';
import { TOOL_VERSION } from '../core/version.js';
import { auditInsert } from '../engine/catalog/audit.js';
import type { Fleet } from '../engine/context.js';
import type { MigrationTarget } from '../engine/ledger/target.js';
import { type PoolDifference, differenceOf } from '../engine/pools/differences.js';
import { enforceTable, openTable } from '../engine/pools/settle.js';
import { readPoolTables } from '../engine/pools/tables.js';
import type { SurveyedUnit } from '../engine/waves/survey.js';
import type { Connection } from '../pg/connection.js';
import { storedFault } from './runs/help.js';

/** Does the caller agree that tables are opened which the configuration only observes? */
export interface SettleOptions {
  allowOpening: boolean;
}

/** What would be done so that pools are as the configuration says; pools that are so already are left out. */
export async function previewSettlements(
  fleet: Fleet,
  surveyed: readonly SurveyedUnit[],
  options: SettleOptions,
): Promise<PoolSettlement[]> {
  const settlements: PoolSettlement[] = [];
  for (const unit of poolsOf(surveyed)) {
    const difference = await differenceIn(fleet, unit);
    if (isDifferent(difference)) settlements.push(settlementOf(unit, difference, options));
  }
  return settlements;
}

/**
 * Brings pools to what their entries in the configuration say, table by table: the last step of a run that has succeeded, under its
 * lock. A table that cannot be settled is a failure of the report; those before it are settled.
 */
export async function settlePools(
  fleet: Fleet,
  report: RunReport,
  surveyed: readonly SurveyedUnit[],
  options: SettleOptions,
): Promise<RunReport> {
  if (report.status !== 'succeeded') return report;
  const pools: PoolSettlement[] = [];
  const failures: UnitFailure[] = [];
  for (const unit of poolsOf(surveyed)) {
    const difference = await differenceIn(fleet, unit);
    if (!isDifferent(difference)) continue;
    const settlement = settlementOf(unit, difference, options);
    try {
      await settle(fleet, unit, difference, settlement);
    } catch (error) {
      if (!isTenantctlError(error)) throw error;
      failures.push(failureOf(unit, error));
    }
    pools.push(settlement);
  }
  return pools.length === 0 ? report : { ...withFailures(report, failures), pools };
}

function poolsOf(surveyed: readonly SurveyedUnit[]): MigrationUnit[] {
  return surveyed
    .filter(({ unit, fault, skip }) => unit.shared && fault === null && skip === null)
    .map(({ unit }) => unit);
}

function differenceIn(fleet: Fleet, unit: MigrationUnit): Promise<PoolDifference> {
  const { column } = fleet.settings.tenancy;
  return fleet.managed(unit.cluster, unit.database, async (connection) =>
    differenceOf(
      rulesOfPool(fleet.settings, unit),
      await readPoolTables(connection, unit.schema, column),
      column,
    ),
  );
}

function isDifferent({ enforce, open, problems }: PoolDifference): boolean {
  return enforce.length + open.length + problems.length > 0;
}

function settlementOf(
  unit: MigrationUnit,
  { enforce, open, problems }: PoolDifference,
  { allowOpening }: SettleOptions,
): PoolSettlement {
  const names = open.map(({ name }) => name);
  return {
    pool: unit.id,
    enforced: enforce.map(({ table, lacks }) => ({ table: table.name, lacks })),
    opened: allowOpening ? names : [],
    stillEnforced: allowOpening ? [] : names,
    problems,
  };
}

async function settle(
  fleet: Fleet,
  unit: MigrationUnit,
  difference: PoolDifference,
  { enforced, opened }: PoolSettlement,
): Promise<void> {
  if (enforced.length + opened.length === 0) return;
  const target = targetOf(fleet, unit);
  const entry = {
    action: 'pool.settle',
    unit: unit.id,
    details: { enforced: enforced.map(({ table }) => table), opened },
  };
  const write = (phase: 'intent' | 'done' | 'failed') =>
    fleet.catalog((catalog) => catalog.atomically([auditInsert(fleet.actor, { ...entry, phase })]));
  await write('intent');
  try {
    await fleet.managed(unit.cluster, unit.database, (connection) =>
      settleTables(fleet, connection, target, difference, opened.length > 0),
    );
  } catch (error) {
    await write('failed');
    throw error;
  }
  await write('done');
}

async function settleTables(
  fleet: Fleet,
  connection: Connection,
  target: MigrationTarget,
  { enforce, open }: PoolDifference,
  opens: boolean,
): Promise<void> {
  for (const { table } of enforce) {
    await enforceTable(connection, target, table);
    fleet.reach('pool.table-settled');
  }
  for (const table of opens ? open : []) {
    await openTable(connection, target, table);
    fleet.reach('pool.table-settled');
  }
}

function targetOf(fleet: Fleet, unit: MigrationUnit): MigrationTarget {
  return {
    unit,
    tenancy: tenancyOf(fleet.settings, unit),
    rollout: fleet.settings.rollout,
    run: null,
    toolVersion: TOOL_VERSION,
    signal: fleet.signal,
  };
}

function failureOf(unit: MigrationUnit, error: unknown): UnitFailure {
  const { code, sqlstate, message } = storedFault(error, unit);
  return {
    unit: unit.id,
    wave: null,
    tenants: [],
    code,
    migration: null,
    sqlstate,
    message,
    file: null,
    line: null,
    attempts: 1,
  };
}

function withFailures(report: RunReport, failures: UnitFailure[]): RunReport {
  if (failures.length === 0) return report;
  const { totals } = report;
  return {
    ...report,
    status: 'failed',
    reason: 'migrations are applied; not every pool is as the configuration says',
    totals: { ...totals, failed: totals.failed + failures.length },
    failures: [...report.failures, ...failures],
  };
}
