import { conflictError } from '../../core/errors.js';
import type { MoveHome, MoveMethod, MoveReport, MoveState, UndoState } from '../../core/move.js';
import type { UnitVersion } from '../../core/unit.js';
import type { Connection } from '../../pg/connection.js';
import { sqlstateOf } from '../../pg/errors.js';
import { type Sql, join, raw, sql } from '../../pg/sql.js';
import type { Actor } from '../context.js';

/** A move as the catalog keeps it. */
export interface StoredMove extends MoveReport {
  version: UnitVersion['id'] | null;
  maxPauseMs: number;
  maxLagMs: number;
  graceMs: number;
  /** The process that drives it, and whether its lease still holds; null when nobody ever did. */
  driver: string | null;
  leased: boolean;
}

export interface NewMove {
  id: string;
  tenant: string;
  from: MoveHome;
  to: MoveHome;
  method: MoveMethod;
  version: number | null;
  maxPauseMs: number;
  maxLagMs: number;
  graceMs: number;
}

/** A driver that gives no sign of life for so long may be taken over. */
export const LEASE_MS = 30_000;

export function moveInsert(move: NewMove, { actor, reason, ticket }: Actor): Sql {
  return sql`
    insert into tenantctl_catalog.moves
      (id, tenant, from_epoch, from_home, to_epoch, to_home, method, version_id, max_pause_ms, max_lag_ms, grace_ms, actor, reason, ticket)
    values (${move.id}, ${move.tenant}, ${move.from.epoch}, ${JSON.stringify(move.from)}::jsonb, ${move.to.epoch}, ${JSON.stringify(move.to)}::jsonb,
      ${move.method}, ${move.version}::int, ${move.maxPauseMs}, ${move.maxLagMs}, ${move.graceMs}, ${actor}, ${reason}, ${ticket})`;
}

const COLUMNS = raw(`
  m.id as move, m.tenant, m.from_home as "from", m.to_home as "to", m.method, m.state, m.undo_state as undo,
  m.rows_copied::float8 as rows, m.verified, m.write_pause_ms::float8 as "writePauseMs", m.fence_wait_ms::float8 as "fenceWaitMs",
  m.copy_ms::float8 as "copyMs", to_char(m.grace_until at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as "graceUntil",
  m.note, to_char(m.started_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as "startedAt",
  to_char(m.finished_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as "finishedAt",
  coalesce((select json_agg(json_build_object('table', t.relation, 'rows', t.rows, 'hash', t.hash) order by t.relation)
     from tenantctl_catalog.move_tables t where t.move = m.id), '[]') as tables,
  m.version_id as version, m.max_pause_ms as "maxPauseMs", m.max_lag_ms as "maxLagMs", m.grace_ms::float8 as "graceMs",
  m.lease_owner as driver, coalesce(m.lease_until > now(), false) as leased`);

/** The moves whose ids begin so. */
export async function findMoves(connection: Connection, beginning: string): Promise<StoredMove[]> {
  return connection.rows<StoredMove>(
    sql`select ${COLUMNS} from tenantctl_catalog.moves m where starts_with(m.id, ${beginning}) order by m.started_at desc limit 3`,
  );
}

export async function requireMove(connection: Connection, id: string): Promise<StoredMove> {
  const row = await connection.row<StoredMove>(
    sql`select ${COLUMNS} from tenantctl_catalog.moves m where m.id = ${id}`,
  );
  if (row !== undefined) return row;
  throw conflictError('MOVE_UNKNOWN', `There is no move ${id}.`, {
    hint: '`tenantctl moves list` shows them.',
    facts: { move: id },
  });
}

/** The unfinished move of a tenant: there is one at most. */
export async function openMoveOf(connection: Connection, tenant: string): Promise<StoredMove | undefined> {
  return connection.row<StoredMove>(
    sql`select ${COLUMNS} from tenantctl_catalog.moves m where m.tenant = ${tenant} and m.finished_at is null`,
  );
}

/** The move of a tenant that is not finished, otherwise its newest. */
export async function latestMoveOf(connection: Connection, tenant: string): Promise<StoredMove | undefined> {
  return connection.row<StoredMove>(
    sql`select ${COLUMNS} from tenantctl_catalog.moves m where m.tenant = ${tenant}
         order by m.finished_at is not null, m.started_at desc limit 1`,
  );
}

/** Moves, the unfinished first, then the newest. */
export async function listMoves(connection: Connection, limit: number): Promise<StoredMove[]> {
  return connection.rows<StoredMove>(
    sql`select ${COLUMNS} from tenantctl_catalog.moves m order by m.finished_at is not null, m.started_at desc limit ${limit}`,
  );
}

/** Moves whose grace period is over. */
export async function dueMoves(connection: Connection): Promise<StoredMove[]> {
  return connection.rows<StoredMove>(
    sql`select ${COLUMNS} from tenantctl_catalog.moves m where m.state = 'grace' and m.grace_until <= now() and m.undo_state is null order by m.grace_until`,
  );
}

/** What a step writes beside the state. */
export interface MoveChanges {
  rows?: number;
  verified?: boolean;
  writePauseMs?: number;
  fenceWaitMs?: number;
  copyMs?: number;
  note?: string | null;
  undo?: UndoState;
  maxPauseMs?: number;
}

const CHANGED: Record<keyof MoveChanges, string> = {
  rows: 'rows_copied',
  verified: 'verified',
  writePauseMs: 'write_pause_ms',
  fenceWaitMs: 'fence_wait_ms',
  copyMs: 'copy_ms',
  note: 'note',
  undo: 'undo_state',
  maxPauseMs: 'max_pause_ms',
};

/**
 * The statement that takes a move on by the process that drives it. It fails, by a division by zero, when the move is
 * no longer where the process believes it to be or another one has taken it over: nothing of the transaction stays.
 */
export function moveStep(
  { move, driver }: { move: string; driver: string },
  from: MoveState,
  to: MoveState,
  changes: MoveChanges = {},
): Sql {
  const set = Object.entries(changes).map(
    ([name, value]) => sql`${raw(CHANGED[name as keyof MoveChanges])} = ${value}`,
  );
  return sql`
    with stepped as (
      update tenantctl_catalog.moves set ${join([
        sql`state = ${to}`,
        sql`lease_until = now() + ${LEASE_MS} * interval '1 millisecond'`,
        sql`finished_at = case when ${to} in ('completed', 'aborted', 'undone') then now() end`,
        sql`grace_until = case when ${to} = 'grace' and grace_until is null then now() + grace_ms * interval '1 millisecond' else grace_until end`,
        ...set,
      ])}
       where id = ${move} and state = ${from} and lease_owner = ${driver} returning 1)
    select 1 / count(*) from stepped`;
}

/** @throws conflict `MOVE_TAKEN_OVER` (exit 5) for the refusal of `moveStep`; any other error as it is */
export function explainStep(move: string, error: unknown): unknown {
  if (sqlstateOf(error) !== '22012') return error;
  return conflictError('MOVE_TAKEN_OVER', `Move ${move} is no longer driven by this process.`, {
    hint: 'Another one has taken it over; `tenantctl moves show` says how it stands.',
    facts: { move },
    cause: error,
  });
}

/** The statement with which a process takes the wheel. */
export function leaseUpdate(move: string, driver: string): Sql {
  return sql`update tenantctl_catalog.moves set lease_owner = ${driver}, lease_until = now() + ${LEASE_MS} * interval '1 millisecond'
    where id = ${move} and finished_at is null`;
}

/** The statement by which it says that it is alive; no row when it was taken over. */
export function leaseRenewal(move: string, driver: string): Sql {
  return sql`update tenantctl_catalog.moves set lease_until = now() + ${LEASE_MS} * interval '1 millisecond'
    where id = ${move} and lease_owner = ${driver}`;
}

/** The statement that takes down how one table stands. */
export function moveTableUpsert(
  move: string,
  table: string,
  state: 'copied' | 'verified',
  rows: number | null,
  hash: string | null,
): Sql {
  return sql`
    insert into tenantctl_catalog.move_tables as known (move, relation, state, rows, hash) values (${move}, ${table}, ${state}, ${rows}::bigint, ${hash})
    on conflict (move, relation) do update set state = excluded.state, rows = coalesce(excluded.rows, known.rows), hash = coalesce(excluded.hash, known.hash)`;
}

/** Tables that were copied whole. */
export async function copiedTables(connection: Connection, move: string): Promise<Set<string>> {
  const rows = await connection.rows<{ relation: string }>(
    sql`select relation from tenantctl_catalog.move_tables where move = ${move} and state in ('copied', 'verified')`,
  );
  return new Set(rows.map(({ relation }) => relation));
}

/** The statements of the flip: the tenant's place is another one from now on. */
export function placementFlip(
  tenant: string,
  { epoch, tier, cluster, database, schema, pool, role }: MoveHome,
  unit: string,
): Sql[] {
  return [
    sql`update tenantctl_catalog.placements set until = now() where tenant = ${tenant} and until is null and epoch < ${epoch}`,
    sql`insert into tenantctl_catalog.placements (tenant, epoch, tier, cluster, database, schema, pool, role, unit)
      values (${tenant}, ${epoch}, ${tier}, ${cluster}, ${database}, ${schema}, ${pool}, ${role}, ${unit})`,
  ];
}
