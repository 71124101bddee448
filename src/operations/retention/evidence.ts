import type { DeletedObject } from '../../core/certificate.js';
import type { PurgedTable } from '../../engine/retention/purge-rows.js';

/** A look over whole clusters for rows with the tenant's key, and for its homes. */
export interface Look {
  at: string;
  clusters: string[];
  databases: number;
  /** Tables read, by role. */
  readers: { role: string; tables: number }[];
  rows: number;
  /** Tables with a tenant column, and databases, that could not be read whole. */
  notRead: string[];
}

/** What is known of one deletion so far. It is kept with the offboarding, so that a crash loses nothing of it. */
export interface Evidence {
  holdCheckedAt: string;
  begunAt: string;
  endedAt: string | null;
  objects: DeletedObject[];
  /** The look before, which must find what the plan counts: one that is blind proves nothing. */
  control: Look & { expected: number };
  /** The look after. */
  rescan: Look | null;
}

/** Notes what was done to a table. Of several passes and several processes the numbers add up. */
export function noteTable(evidence: Evidence, purged: PurgedTable): void {
  const object = evidence.objects.find(({ kind, object: name }) => kind === 'table' && name === purged.table);
  if (object === undefined) return;
  object.batches = (object.batches ?? 0) + purged.batches;
  object.firstTxid ??= purged.firstTxid;
  object.lastTxid = purged.lastTxid ?? object.lastTxid;
  object.lsn = purged.lsn ?? object.lsn;
}

/** A partition that could not be dropped is emptied like any other table. */
export function noteKept(evidence: Evidence, partition: string): void {
  for (const object of evidence.objects)
    if (object.kind === 'partition' && object.object === partition) object.action = 'rows deleted';
}

/** Rows of tables; partitions and what else there is are parts of them, or no rows. */
export function rowsIn(objects: readonly DeletedObject[]): number {
  return objects.reduce((sum, { kind, rowsBefore }) => sum + (kind === 'table' ? (rowsBefore ?? 0) : 0), 0);
}

/** Nothing of it was found any more. */
export function noteGone(evidence: Evidence): void {
  for (const object of evidence.objects) if (object.rowsBefore !== null) object.rowsAfter = 0;
}
