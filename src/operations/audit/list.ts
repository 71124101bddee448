import type { AuditRecord } from '../../core/audit.js';
import { type AuditQuery, readAudit, readsForward } from '../../engine/audit/log.js';
import type { Fleet } from '../../engine/context.js';

export interface AuditPage {
  /** In the order in which they were written. */
  entries: AuditRecord[];
  /** The number to give as `after` for the next page; null when there is nothing behind this one. */
  next: number | null;
}

/** Entries of the audit log: the newest, or a page behind a given entry or time. */
export async function listAudit(fleet: Fleet, query: AuditQuery): Promise<AuditPage> {
  const read = await fleet.catalog((connection) => readAudit(connection, query));
  if (!readsForward(query)) return { entries: read.slice(-query.limit), next: null };
  const entries = read.slice(0, query.limit);
  return { entries, next: read.length > query.limit ? (entries.at(-1)?.seq ?? null) : null };
}
