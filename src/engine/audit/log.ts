import type { AuditRecord } from '../../core/audit.js';
import type { Connection } from '../../pg/connection.js';
import { join, raw, sql } from '../../pg/sql.js';

/** Which entries of the audit log are wanted. */
export interface AuditQuery {
  tenant: string | null;
  actor: string | null;
  /** An ISO time, or a length of time in milliseconds before now, by the catalog's clock. */
  since: { at: string } | { agoMs: number } | null;
  limit: number;
  /** The number of the entry after which the page begins; null for the newest. */
  after: number | null;
}

const COLUMNS = raw(`
  a.seq::float8 as seq, to_char(a.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as at, a.action, a.phase, a.tenant,
  a.unit, a.run, a.actor, a.database_user as "databaseUser", a.reason, a.ticket, a.details, a.tool, a.hash`);

/**
 * Entries in the order in which they were written, one more than asked for where there are more of them: behind the page
 * that begins after a given entry or time, before the page of the newest.
 */
export async function readAudit(connection: Connection, query: AuditQuery): Promise<AuditRecord[]> {
  const forward = readsForward(query);
  const rows = await connection.rows<AuditRecord>(sql`
    select ${COLUMNS} from tenantctl_catalog.audit a where ${conditionOf(query)}
     order by a.seq ${raw(forward ? 'asc' : 'desc')} limit ${query.limit + 1}`);
  return forward ? rows : rows.toReversed();
}

/** Does a page begin somewhere, or is it the end of the log? */
export function readsForward({ after, since }: AuditQuery): boolean {
  return after !== null || since !== null;
}

function conditionOf({ tenant, actor, since, after }: AuditQuery) {
  return join(
    [
      raw('true'),
      ...(tenant === null ? [] : [sql`a.tenant = ${tenant}`]),
      ...(actor === null ? [] : [sql`a.actor = ${actor}`]),
      ...(after === null ? [] : [sql`a.seq > ${after}::bigint`]),
      ...(since === null ? [] : [sql`a.at >= ${sinceSql(since)}`]),
    ],
    ' and ',
  );
}

function sinceSql(since: NonNullable<AuditQuery['since']>) {
  return 'at' in since
    ? sql`${since.at}::timestamptz`
    : sql`clock_timestamp() - ${since.agoMs}::float8 * interval '1 millisecond'`;
}
