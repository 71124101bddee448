import type { Connection } from '../../pg/connection.js';
import { sqlstateOf } from '../../pg/errors.js';
import { withLockRetry } from '../../pg/retry.js';
import { raw, sql } from '../../pg/sql.js';
import { type Side, tableOf } from '../rows/side.js';
import type { ScopedTable } from '../rows/scope.js';
import { permitPurge } from './permit.js';

/** A partition whose list of values is this one tenant's key. */
export interface OwnPartition {
  table: string;
  /** Qualified and quoted. */
  partition: string;
  rows: number;
}

/** Readers and writers of the whole table queue behind whoever waits to drop a part of it. */
const LOCK_TIMEOUT_MS = 100;
const TRIES = 12;
/** Something refers to rows of the partitioned table, which keeps its parts from being dropped; or it is always in use. */
const NOT_TO_BE_DROPPED = new Set(['2BP01', '55P03']);

/** The partitions that hold nothing but rows of this tenant, with what is in them. */
export async function ownPartitions(
  session: Connection,
  side: Side,
  tables: readonly ScopedTable[],
): Promise<OwnPartition[]> {
  const found: OwnPartition[] = [];
  for (const { name, tenantColumn, leaves } of tables) {
    if (leaves.length === 0 || tenantColumn === null) continue;
    const parts = await session.rows<{ partition: string }>(sql`
      select i.inhrelid::regclass::text as partition from pg_inherits i join pg_partitioned_table t on t.partrelid = i.inhparent
        join pg_class p on p.oid = i.inhrelid
        join pg_attribute a on a.attrelid = t.partrelid and a.attnum = t.partattrs[0] and a.attname = ${tenantColumn}
       where i.inhparent = ${tableOf(side, name).text()}::regclass and t.partstrat = 'l' and t.partnatts = 1
         and substring(pg_get_expr(p.relpartbound, p.oid) from '^FOR VALUES IN \\(''?([^'',]*)''?\\)$') = ${side.home.tenant.key}`);
    for (const { partition } of parts) {
      const row = await session.row<{ rows: number }>(
        sql`select count(*)::float8 as rows from ${raw(partition)}`,
      );
      found.push({ table: name, partition, rows: row?.rows ?? 0 });
    }
  }
  return found;
}

/**
 * Drops such a partition in one transaction that asks first whether it may.
 * @returns false when something keeps it from being dropped: its rows are then deleted like others
 */
export async function dropPartition(
  session: Connection,
  side: Side,
  dueAt: string,
  { partition }: OwnPartition,
): Promise<boolean> {
  try {
    await withLockRetry(TRIES, new Set(), () =>
      session.atomically([
        raw(`set local lock_timeout = ${LOCK_TIMEOUT_MS}`),
        permitPurge(side.home, dueAt),
        sql`drop table ${raw(partition)}`,
      ]),
    );
    return true;
  } catch (error) {
    if (NOT_TO_BE_DROPPED.has(sqlstateOf(error) ?? '')) return false;
    throw error;
  }
}
