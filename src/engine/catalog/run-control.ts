import type { RunStatus } from '../../core/events.js';
import type { WaveStatus } from '../../core/report.js';
import type { Connection } from '../../pg/connection.js';
import { type Sql, sql } from '../../pg/sql.js';

/** The statement that writes how a run stands; only one that is finished has an end. */
export function runStatusUpdate(run: string, status: RunStatus, reason: string | null): Sql {
  const open = status === 'running' || status === 'waiting' || status === 'paused';
  return sql`
    update tenantctl_catalog.runs set status = ${status}, status_reason = ${reason},
      finished_at = case when ${open} then null else now() end
     where id = ${run}`;
}

/**
 * The same by the process that drives it: what somebody decided from another terminal stays. A pause that
 * came when everything had ended has nothing left to hold.
 */
export function ownStatusUpdate(run: string, status: RunStatus, reason: string | null): Sql {
  const ended = status === 'succeeded' || status === 'partial' || status === 'failed';
  const from = ended ? ['running', 'waiting', 'paused'] : ['running', 'waiting'];
  return sql`${runStatusUpdate(run, status, reason)} and status = any(${from}::text[])`;
}

/** The statement that begins to drive a run; what somebody has decided since it was read stays. */
export function runBegins({
  id,
  status,
  reason,
}: {
  id: string;
  status: RunStatus;
  reason: string | null;
}): Sql {
  return sql`${runStatusUpdate(id, 'running', null)} and status = ${status} and status_reason is not distinct from ${reason}`;
}

/** The statement that moves a wave on. */
export function waveStatusUpdate(run: string, ordinal: number, status: WaveStatus): Sql {
  return sql`
    update tenantctl_catalog.run_waves set status = ${status}, started_at = coalesce(started_at, now()),
      finished_at = case when ${status} in ('succeeded', 'failed', 'rolled-back') then now() end
     where run = ${run} and ordinal = ${ordinal}`;
}

/** The statement that begins a wave's time of watching, on the catalog's clock. */
export function bakeStart(run: string, ordinal: number, bakeMs: number): Sql {
  return sql`
    update tenantctl_catalog.run_waves set status = 'baking',
      bake_until = coalesce(bake_until, now() + ${bakeMs} * interval '1 millisecond')
     where run = ${run} and ordinal = ${ordinal}`;
}

/** The statement with which a person lets the run pass on from a wave. */
export function approval(run: string, ordinal: number, actor: string): Sql {
  return sql`
    update tenantctl_catalog.run_waves set approved_by = ${actor}, approved_at = now()
     where run = ${run} and ordinal = ${ordinal} and approved_by is null`;
}

/** The statement that keeps a decision with its reason. */
export function decisionInsert(
  run: string,
  decision: string,
  reason: string,
  facts: Record<string, unknown> = {},
): Sql {
  return sql`
    insert into tenantctl_catalog.run_decisions (run, decision, reason, facts)
    values (${run}, ${decision}, ${reason}, ${JSON.stringify(facts)}::jsonb)`;
}

export interface Decision {
  at: string;
  decision: string;
  reason: string;
}

export async function readDecisions(connection: Connection, run: string): Promise<Decision[]> {
  return connection.rows<Decision>(sql`
    select to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as at, decision, reason
      from tenantctl_catalog.run_decisions where run = ${run} order by seq`);
}

/** Units that failed, or were rolled back because others did, are to be tried again; their waves are open once more. */
export function retryUpdates(run: string): Sql[] {
  return [
    sql`
    update tenantctl_catalog.run_waves w set status = 'pending', finished_at = null
     where run = ${run} and status in ('failed', 'rolled-back') and exists (
       select from tenantctl_catalog.run_units u
        where u.run = w.run and u.wave = w.ordinal and u.status in ('failed', 'rolled-back'))`,
    sql`
    update tenantctl_catalog.run_units set status = 'pending', reason = 'to be tried again', finished_at = null
     where run = ${run} and status in ('failed', 'rolled-back')`,
  ];
}

/** Failures of before do not count against the budget once more. */
export function forgiveUpdate(run: string): Sql {
  return sql`update tenantctl_catalog.run_units set forgiven = true where run = ${run} and status = 'failed'`;
}

/** The statement that lets a run pass a unit. */
export function skipUpdate(run: string, unit: string, reason: string): Sql {
  return sql`
    update tenantctl_catalog.run_units set status = 'skipped', reason = ${reason}, finished_at = now()
     where run = ${run} and unit = ${unit} and status in ('pending', 'failed')`;
}

/** What somebody may change from another terminal while a run is driven. */
export interface ControlState {
  status: RunStatus;
  reason: string | null;
  now: string;
  waves: { ordinal: number; approvedBy: string | null; bakeUntil: string | null }[];
  skipped: string[];
}

export async function readControl(connection: Connection, run: string): Promise<ControlState | undefined> {
  return connection.row<ControlState>(sql`
    select r.status, r.status_reason as reason, to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as now,
           coalesce((select jsonb_agg(jsonb_build_object('ordinal', w.ordinal, 'approvedBy', w.approved_by,
                'bakeUntil', to_char(w.bake_until at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')))
              from tenantctl_catalog.run_waves w where w.run = r.id), '[]') as waves,
           coalesce((select jsonb_agg(u.unit) from tenantctl_catalog.run_units u
              where u.run = r.id and u.status = 'skipped' and u.finished_at is not null), '[]') as skipped
      from tenantctl_catalog.runs r where r.id = ${run}`);
}
