import type { RunStatus } from '../../core/events.js';
import type { WaveStatus } from '../../core/report.js';
import type { RunPolicy } from '../../core/run-policy.js';
import type { Selector } from '../../core/selector.js';
import type { UnitVersion } from '../../core/unit.js';
import { TOOL_VERSION } from '../../core/version.js';
import type { Connection } from '../../pg/connection.js';
import { type Sql, sql } from '../../pg/sql.js';
import type { Actor } from '../context.js';

export type RunKind = 'migrate' | 'rollback';

/** A run as it is stored before its first unit is touched. */
export interface NewRun {
  id: string;
  kind: RunKind;
  target: UnitVersion | null;
  /** The run that is taken back, for a rollback of one. */
  ofRun: string | null;
  filesHash: string;
  selection: Selector;
  policy: RunPolicy;
  planDigest: string | null;
  /** Units that have nothing to do. */
  unchanged: number;
  migrations: { id: number; name: string; checksum: string; phase: string | null }[];
  waves: { name: string; needsApproval: boolean }[];
  units: NewRunUnit[];
}

/** A unit with its place in a run, and what is known of it when the run is made. */
export interface NewRunUnit {
  unit: string;
  wave: number;
  ordinal: number;
  lane: string;
  tenants: number;
  pages: number;
  from: number | null;
  status: 'pending' | 'skipped';
  reason: string | null;
}

/** A run as it is stored. */
export interface StoredRun {
  id: string;
  kind: RunKind;
  status: RunStatus;
  reason: string | null;
  target: UnitVersion | null;
  ofRun: string | null;
  filesHash: string;
  selection: Selector;
  policy: RunPolicy;
  unchanged: number;
  actor: string;
  startedAt: string;
  finishedAt: string | null;
}

export interface StoredWave {
  ordinal: number;
  name: string;
  status: WaveStatus;
  needsApproval: boolean;
  approvedBy: string | null;
  bakeUntil: string | null;
}

const COLUMNS = sql`
  id, kind, status, status_reason as reason, of_run as "ofRun", files_hash as "filesHash", selection, policy, unchanged, actor,
  case when target_id is null then null else jsonb_build_object('id', target_id, 'name', target_name) end as target,
  to_char(started_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "startedAt",
  to_char(finished_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "finishedAt"`;

/** The statements that store a run with its frozen files and units. */
export function runInserts(actor: Actor, run: NewRun): Sql[] {
  return [
    sql`
    insert into tenantctl_catalog.runs (id, kind, target_id, target_name, of_run, files_hash, selection, policy, plan_digest,
      unchanged, actor, reason, ticket, tool)
    values (${run.id}, ${run.kind}, ${run.target?.id ?? null}, ${run.target?.name ?? null}, ${run.ofRun}, ${run.filesHash},
      ${JSON.stringify(run.selection)}::jsonb, ${JSON.stringify(run.policy)}::jsonb, ${run.planDigest}, ${run.unchanged},
      ${actor.actor}, ${actor.reason}, ${actor.ticket}, ${TOOL_VERSION})`,
    sql`
    insert into tenantctl_catalog.run_migrations (run, id, name, checksum, phase)
    select ${run.id}, * from jsonb_to_recordset(${JSON.stringify(run.migrations)}::jsonb)
      as m (id integer, name text, checksum text, phase text)`,
    wavesInsert(run.id, 0, run.waves),
    runUnitsInsert(run.id, run.units),
  ];
}

/** The statement that stores waves, the first of them with the given ordinal. */
export function wavesInsert(run: string, first: number, waves: NewRun['waves']): Sql {
  return sql`
    insert into tenantctl_catalog.run_waves (run, ordinal, name, needs_approval)
    select ${run}, ${first}::int + n::int - 1, name, approval
      from unnest(${waves.map(({ name }) => name)}::text[], ${waves.map(({ needsApproval }) => needsApproval)}::boolean[])
        with ordinality as w (name, approval, n)`;
}

/** The statement that gives units their place in a run; one that has a place already gets the new one. */
export function runUnitsInsert(run: string, units: readonly NewRunUnit[]): Sql {
  return sql`
    insert into tenantctl_catalog.run_units (run, unit, wave, ordinal, lane, tenants, pages, from_version, status, reason)
    select ${run}, unit, wave, ordinal, lane, tenants, pages, "from", status, reason
      from jsonb_to_recordset(${JSON.stringify(units)}::jsonb)
        as u (unit text, wave integer, ordinal integer, lane text, tenants integer, pages bigint, "from" integer, status text, reason text)
    on conflict (run, unit) do update set wave = excluded.wave, ordinal = excluded.ordinal, lane = excluded.lane,
      status = excluded.status, reason = excluded.reason`;
}

/** A run by the beginning of its id, or the latest unfinished one, or the latest of all. */
export async function findRun(connection: Connection, wanted: string | null): Promise<StoredRun | undefined> {
  return connection.row<StoredRun>(sql`
    select ${COLUMNS} from tenantctl_catalog.runs where ${wanted}::text is null or starts_with(id, ${wanted})
     order by finished_at is not null, started_at desc limit 1`);
}

/** The ids that begin so, the newest first; no more than a few. */
export async function runsCalled(connection: Connection, beginning: string): Promise<string[]> {
  const rows = await connection.rows<{ id: string }>(sql`
    select id from tenantctl_catalog.runs where starts_with(id, ${beginning}) order by started_at desc limit 5`);
  return rows.map(({ id }) => id);
}

/** The run that has not finished, if there is one. */
export async function unfinishedRun(connection: Connection): Promise<StoredRun | undefined> {
  return connection.row<StoredRun>(sql`
    select ${COLUMNS} from tenantctl_catalog.runs where finished_at is null order by started_at desc limit 1`);
}

/** Runs, the newest first. */
export async function listRuns(connection: Connection, limit: number): Promise<StoredRun[]> {
  return connection.rows<StoredRun>(sql`
    select ${COLUMNS} from tenantctl_catalog.runs order by started_at desc limit ${limit}`);
}

/** Runs that are not finished, and the newest finished one. */
export async function recentRuns(connection: Connection): Promise<StoredRun[]> {
  return connection.rows<StoredRun>(sql`
    select ${COLUMNS} from tenantctl_catalog.runs where finished_at is null
    union all (select ${COLUMNS} from tenantctl_catalog.runs where finished_at is not null order by started_at desc limit 1)`);
}

/** The waves of a run in their order. */
export async function readWaves(connection: Connection, run: string): Promise<StoredWave[]> {
  return connection.rows<StoredWave>(sql`
    select ordinal, name, status, needs_approval as "needsApproval", approved_by as "approvedBy",
           to_char(bake_until at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "bakeUntil"
      from tenantctl_catalog.run_waves where run = ${run} order by ordinal`);
}

/** The files of a run as they were frozen. */
export async function readRunFiles(
  connection: Connection,
  run: string,
): Promise<{ id: number; name: string; checksum: string }[]> {
  return connection.rows(
    sql`select id, name, checksum from tenantctl_catalog.run_migrations where run = ${run} order by id`,
  );
}

/** Has a saved plan been used? Gives the run that did. */
export async function runOfPlan(connection: Connection, digest: string): Promise<string | undefined> {
  const row = await connection.row<{ id: string }>(
    sql`select id from tenantctl_catalog.runs where plan_digest = ${digest}`,
  );
  return row?.id;
}
