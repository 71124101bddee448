import type { ChainPoint, Checkpoint } from '../../core/audit.js';
import type { Connection } from '../../pg/connection.js';
import { type Sql, sql } from '../../pg/sql.js';

/** A checkpoint as the catalog remembers it. */
export interface StoredCheckpoint extends ChainPoint {
  writtenTo: string | null;
}

export async function readCheckpoints(connection: Connection): Promise<StoredCheckpoint[]> {
  return connection.rows<StoredCheckpoint>(
    sql`select seq::float8 as seq, hash, written_to as "writtenTo" from tenantctl_catalog.audit_checkpoints order by seq`,
  );
}

/** The statement that remembers a checkpoint. Again: no change. */
export function checkpointInsert({ seq, hash, signature, keyId }: Checkpoint, writtenTo: string): Sql {
  return sql`
    insert into tenantctl_catalog.audit_checkpoints (seq, hash, signature, key_id, written_to)
    values (${seq}, ${hash}, ${signature}, ${keyId}, ${writtenTo}) on conflict (seq) do nothing`;
}

/** The hashes of some entries, for those of them that are there. */
export async function hashesOf(
  connection: Connection,
  seqs: readonly number[],
): Promise<Map<number, string>> {
  const rows = await connection.rows<ChainPoint>(
    sql`select seq::float8 as seq, hash from tenantctl_catalog.audit where seq = any (${seqs}::bigint[])`,
  );
  return new Map(rows.map(({ seq, hash }) => [seq, hash]));
}

/** The fleet's id, and the catalog's time as ISO in UTC. */
export async function fleetAndTime(connection: Connection): Promise<{ fleet: string; at: string }> {
  const row = await connection.row<{ fleet: string; at: string }>(sql`
    select fleet::text, to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as at
      from tenantctl_catalog.installation`);
  return row as { fleet: string; at: string };
}
