import type { RunStatus } from '../../core/events.js';
import { TOOL_VERSION } from '../../core/version.js';
import type { Connection } from '../../pg/connection.js';
import { type Sql, raw, sql } from '../../pg/sql.js';
import type { Actor } from '../context.js';

/** A run as it is stored before its first unit is touched. */
export interface NewRun {
  id: string;
  target: { id: number; name: string } | null;
  filesHash: string;
  selection: unknown;
  migrations: { id: number; name: string; checksum: string; phase: string | null }[];
  waves: string[];
  units: {
    unit: string;
    wave: number;
    ordinal: number;
    lane: string;
    tenants: number;
    from: number | null;
  }[];
}

/** The statements that store a run with its frozen files and units. */
export function runInserts(actor: Actor, run: NewRun): Sql[] {
  return [
    sql`
    insert into tenantctl_catalog.runs (id, kind, target_id, target_name, files_hash, selection, actor, reason, ticket, tool)
    values (${run.id}, 'migrate', ${run.target?.id ?? null}, ${run.target?.name ?? null}, ${run.filesHash},
      ${JSON.stringify(run.selection)}::jsonb, ${actor.actor}, ${actor.reason}, ${actor.ticket}, ${TOOL_VERSION})`,
    sql`
    insert into tenantctl_catalog.run_migrations (run, id, name, checksum, phase)
    select ${run.id}, * from jsonb_to_recordset(${JSON.stringify(run.migrations)}::jsonb)
      as m (id integer, name text, checksum text, phase text)`,
    sql`
    insert into tenantctl_catalog.run_waves (run, ordinal, name)
    select ${run.id}, ordinal - 1, name from unnest(${run.waves}::text[]) with ordinality as w (name, ordinal)`,
    sql`
    insert into tenantctl_catalog.run_units (run, unit, wave, ordinal, lane, tenants, from_version)
    select ${run.id}, unit, wave, ordinal, lane, tenants, "from" from jsonb_to_recordset(${JSON.stringify(run.units)}::jsonb)
      as u (unit text, wave integer, ordinal integer, lane text, tenants integer, "from" integer)`,
  ];
}

/** How one unit of a run ended. */
export interface UnitOutcomeRow {
  unit: string;
  status: 'succeeded' | 'failed' | 'skipped';
  reason: string | null;
  to: number | null;
  fault: unknown;
  ms: number;
}

/** The statement that writes the outcomes of many units. */
export function outcomesUpdate(run: string, outcomes: readonly UnitOutcomeRow[]): Sql {
  return sql`
    update tenantctl_catalog.run_units u set status = o.status, reason = o.reason, to_version = o."to", fault = o.fault,
      duration_ms = o.ms, attempts = u.attempts + 1, finished_at = now()
      from jsonb_to_recordset(${JSON.stringify(outcomes)}::jsonb)
        as o (unit text, status text, reason text, "to" integer, fault jsonb, ms integer)
     where u.run = ${run} and u.unit = o.unit`;
}

export async function setWaveStatus(
  connection: Connection,
  run: string,
  ordinal: number,
  status: 'running' | 'succeeded' | 'failed',
): Promise<void> {
  await connection.execute(sql`
    update tenantctl_catalog.run_waves set status = ${status}, started_at = coalesce(started_at, now()),
      finished_at = case when ${status} = 'running' then null else now() end
     where run = ${run} and ordinal = ${ordinal}`);
}

/** The statement that closes a run; a paused one stays open. */
export function runFinish(run: string, status: RunStatus, reason: string | null): Sql {
  return sql`
    update tenantctl_catalog.runs set status = ${status}, status_reason = ${reason},
      finished_at = case when ${status} = 'paused' then null else now() end
     where id = ${run}`;
}

/**
 * Ends the runs that a killed process left open; the run that comes now takes up their units. Without one
 * (null) there is nothing left of them to do.
 */
export async function closeAbandonedRuns(
  connection: Connection,
  successor: string | null,
): Promise<string[]> {
  const reason =
    successor === null
      ? 'its process ended before it did; nothing is left to do'
      : `taken over by run ${successor}`;
  const rows = await connection.rows<{ id: string }>(sql`
    update tenantctl_catalog.runs set status = 'aborted', finished_at = now(), status_reason = ${reason}
     where finished_at is null and id is distinct from ${successor} returning id`);
  return rows.map(({ id }) => id);
}

/** Runs that are not finished, and the newest finished one. */
export async function recentRuns(connection: Connection): Promise<Record<string, unknown>[]> {
  return connection.rows(
    raw(`
    select id as run, kind, status, status_reason as reason, target_id as "targetId", target_name as "targetName",
           started_at::text as "startedAt", finished_at::text as "finishedAt"
      from tenantctl_catalog.runs where finished_at is null
    union all (select id, kind, status, status_reason, target_id, target_name, started_at::text, finished_at::text
      from tenantctl_catalog.runs where finished_at is not null order by started_at desc limit 1)`),
  );
}
