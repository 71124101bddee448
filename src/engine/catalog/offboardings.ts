import { conflictError } from '../../core/errors.js';
import type { ExportRecord, Offboarding, OffboardingState } from '../../core/offboarding.js';
import type { Connection } from '../../pg/connection.js';
import { type Sql, raw, sql } from '../../pg/sql.js';
import type { Actor } from '../context.js';

const COLUMNS = raw(`
  o.id as offboarding, o.tenant, o.state, o.requested_by as "requestedBy", o.reason, o.basis, o.ticket,
  o.status_before as "statusBefore", to_char(o.requested_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as "requestedAt",
  o.retain_ms::float8 as "retainMs", to_char(o.due_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as "dueAt",
  o.due_at <= clock_timestamp() as due, o.export, o.wants_export as "wantsExport", o.progress,
  to_char(o.begun_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as "begunAt",
  to_char(o.finished_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as "finishedAt"`);

/** An offboarding as the catalog keeps it. */
export interface StoredOffboarding extends Offboarding {
  wantsExport: boolean;
  /** What the deletion has found and done so far, for the certificate. */
  progress: Record<string, unknown>;
}

export interface NewOffboarding {
  id: string;
  tenant: string;
  requestedBy: string;
  reason: string | null;
  basis: string | null;
  statusBefore: 'active' | 'suspended';
  retainMs: number;
  wantsExport: boolean;
}

/**
 * The statement that records a request. The day is reckoned by the database, in time that has passed: a month of the
 * calendar or a clock of ours would make it another one.
 */
export function offboardingInsert(offboarding: NewOffboarding, { ticket }: Actor): Sql {
  const { id, tenant, requestedBy, reason, basis, statusBefore, retainMs, wantsExport } = offboarding;
  return sql`
    insert into tenantctl_catalog.offboardings (id, tenant, requested_by, reason, basis, ticket, status_before, retain_ms, wants_export, due_at)
    values (${id}, ${tenant}, ${requestedBy}, ${reason}, ${basis}, ${ticket}, ${statusBefore}, ${retainMs}, ${wantsExport},
      clock_timestamp() + ${retainMs} * interval '1 millisecond')`;
}

/** The offboarding of a tenant that is neither cancelled nor certified, or undefined. */
export async function openOffboardingOf(
  connection: Connection,
  tenant: string,
): Promise<StoredOffboarding | undefined> {
  return connection.row<StoredOffboarding>(
    sql`select ${COLUMNS} from tenantctl_catalog.offboardings o where o.tenant = ${tenant} and o.finished_at is null`,
  );
}

/** Every offboarding that is under way, those that are due first. */
export async function openOffboardings(connection: Connection): Promise<StoredOffboarding[]> {
  return connection.rows<StoredOffboarding>(
    sql`select ${COLUMNS} from tenantctl_catalog.offboardings o where o.finished_at is null order by o.due_at, o.id`,
  );
}

/** The newest offboarding of a tenant, whatever became of it. */
export async function lastOffboardingOf(
  connection: Connection,
  tenant: string,
): Promise<StoredOffboarding | undefined> {
  return connection.row<StoredOffboarding>(
    sql`select ${COLUMNS} from tenantctl_catalog.offboardings o where o.tenant = ${tenant} order by o.requested_at desc limit 1`,
  );
}

/** @throws conflict `OFFBOARDING_UNKNOWN` (exit 5) */
export async function requireOffboarding(connection: Connection, id: string): Promise<StoredOffboarding> {
  const row = await connection.row<StoredOffboarding>(
    sql`select ${COLUMNS} from tenantctl_catalog.offboardings o where o.id = ${id}`,
  );
  if (row !== undefined) return row;
  throw conflictError('OFFBOARDING_UNKNOWN', `There is no offboarding ${id}.`, {
    hint: '`tenantctl retention list` shows those that are under way.',
    facts: { offboarding: id },
  });
}

/** What changes with a step; what is left out stays. */
interface StepChanges {
  export?: ExportRecord;
  /** Merged into what is there, member by member. */
  progress?: Record<string, unknown>;
}

/** The statement that takes a step; the database refuses one that does not exist, and one on hold or not due. */
export function offboardingStep(id: string, state: OffboardingState, changes: StepChanges = {}): Sql {
  const exported = changes.export === undefined ? null : JSON.stringify(changes.export);
  return sql`
    update tenantctl_catalog.offboardings set state = ${state},
      export = coalesce(${exported}::jsonb, export), progress = progress || ${JSON.stringify(changes.progress ?? {})}::jsonb,
      begun_at = case when ${state} = 'purging' then coalesce(begun_at, now()) else begun_at end,
      finished_at = case when ${state} in ('certified', 'cancelled') then now() end
    where id = ${id}`;
}

/** The statement that notes how far a deletion has come, without a step. */
export function offboardingProgress(id: string, progress: Record<string, unknown>): Sql {
  return sql`update tenantctl_catalog.offboardings set progress = progress || ${JSON.stringify(progress)}::jsonb where id = ${id}`;
}
