import type { UnitVersion } from '../../core/unit.js';
import type { Connection } from '../../pg/connection.js';
import { type Sql, sql } from '../../pg/sql.js';

export type RunUnitStatus = 'pending' | 'running' | 'succeeded' | 'failed' | 'skipped' | 'rolled-back';

/** Why a unit failed, as it is kept for `explain` and reports. */
export interface StoredFault {
  code: string;
  sqlstate: string | null;
  message: string;
  hint: string | null;
  migration: string | null;
  file: string | null;
  line: number | null;
  facts?: Record<string, unknown>;
}

/** A unit of a run as it is stored. */
export interface StoredUnit {
  unit: string;
  wave: number;
  ordinal: number;
  lane: string;
  status: RunUnitStatus;
  reason: string | null;
  tenants: number;
  pages: number;
  from: number | null;
  to: number | null;
  attempts: number;
  forgiven: boolean;
  fault: StoredFault | null;
  ms: number | null;
  /** How long it has been at work by the catalog's clock; null unless it is. */
  runningMs: number | null;
}

/** The units of a run in the order of their waves. */
export async function readRunUnits(connection: Connection, run: string): Promise<StoredUnit[]> {
  return connection.rows<StoredUnit>(sql`
    select unit, wave, ordinal, lane, status, reason, tenants, pages::float8 as pages, from_version as "from",
           to_version as "to", attempts, forgiven, fault, duration_ms as ms,
           case when status = 'running' then extract(epoch from clock_timestamp() - started_at)::float8 * 1000 end as "runningMs"
      from tenantctl_catalog.run_units where run = ${run} order by wave, ordinal`);
}

/** The tenants of a unit by name, for reports; a pool's are counted instead. */
export async function tenantsOfUnits(
  connection: Connection,
  units: readonly string[],
): Promise<Map<string, string[]>> {
  const rows = await connection.rows<{ unit: string; tenants: string[] }>(sql`
    select p.unit, array_agg(p.tenant order by p.tenant) as tenants
      from tenantctl_catalog.placements p join tenantctl_catalog.units u on u.id = p.unit
     where p.until is null and u.tier <> 'pool' and p.unit = any(${units}::text[]) group by p.unit`);
  return new Map(rows.map(({ unit, tenants }) => [unit, tenants]));
}

/** The statement that notes that units have begun; of what they are at nothing is known yet. An attempt counts from its start, so that one that kills its process counts. */
export function startsUpdate(run: string, units: readonly string[]): Sql {
  return sql`
    update tenantctl_catalog.run_units set status = 'running', reason = null, attempts = attempts + 1, started_at = now(), finished_at = null
     where run = ${run} and unit = any(${units}::text[])`;
}

/** The statement that notes what units at work are doing or waiting for. */
export function stepsUpdate(run: string, steps: ReadonlyMap<string, string>): Sql {
  return sql`
    update tenantctl_catalog.run_units u set reason = s.step
      from unnest(${[...steps.keys()]}::text[], ${[...steps.values()]}::text[]) as s (unit, step)
     where u.run = ${run} and u.unit = s.unit and u.status = 'running'`;
}

/** How one unit of a run ended. */
export interface UnitOutcomeRow {
  unit: string;
  status: RunUnitStatus;
  reason: string | null;
  /** The unit's version now. */
  to: UnitVersion | null;
  fault: StoredFault | null;
  ms: number | null;
}

/**
 * The statement that writes the outcomes of many units.
 * @param begun those whose start was not written (see `startsUpdate`): most have ended before there is a reason to
 */
export function outcomesUpdate(
  run: string,
  outcomes: readonly UnitOutcomeRow[],
  begun: ReadonlySet<string> = new Set(),
): Sql {
  const rows = outcomes.map(({ to, ...row }) => ({ ...row, to: to?.id ?? null, begun: begun.has(row.unit) }));
  return sql`
    update tenantctl_catalog.run_units u set status = o.status, reason = o.reason, to_version = o."to", fault = o.fault,
      attempts = u.attempts + o.begun::int,
      started_at = case when o.begun then now() - coalesce(o.ms, 0) * interval '1 ms' else u.started_at end,
      duration_ms = coalesce(o.ms, u.duration_ms), forgiven = false, finished_at = case when o.status = 'pending' then null else now() end
      from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
        as o (unit text, status text, reason text, "to" integer, fault jsonb, ms integer, begun boolean)
     where u.run = ${run} and u.unit = o.unit and (u.status <> 'skipped' or o.begun)`;
}

/** What one unit did with one migration. */
export interface UnitMigrationRow {
  unit: string;
  id: number;
  status: 'applied' | 'failed' | 'rolled-back';
  fault: StoredFault | null;
}

/** The statement that keeps what units did with each migration. */
export function unitMigrationsInsert(run: string, rows: readonly UnitMigrationRow[]): Sql {
  return sql`
    insert into tenantctl_catalog.run_unit_migrations (run, unit, id, status, fault)
    select ${run}, unit, id, status, fault from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
      as m (unit text, id integer, status text, fault jsonb)
    on conflict (run, unit, id) do update set status = excluded.status, fault = excluded.fault, at = now()`;
}

/**
 * Milliseconds a unit took in earlier runs of the same kind: the median, and so many of them. Units that
 * had nothing to do are left out.
 */
export async function medianUnitMs(connection: Connection): Promise<{ ms: number | null; units: number }> {
  const row = await connection.row<{ ms: number | null; units: number }>(sql`
    select percentile_cont(0.5) within group (order by duration_ms) as ms, count(*)::int as units
      from (select duration_ms from tenantctl_catalog.run_units
             where status = 'succeeded' and duration_ms is not null order by finished_at desc limit 2000) recent`);
  return row ?? { ms: null, units: 0 };
}
