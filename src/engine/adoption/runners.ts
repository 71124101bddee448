import type { Connection } from '../../pg/connection.js';
import { sql } from '../../pg/sql.js';
import type { FoundLedger } from './find-ledgers.js';

/**
 * The ledgers whose own tool is at work on them now: it holds the advisory lock that it takes for a run. Each lock is tried and let
 * go at once.
 */
export async function atWork(
  connection: Connection,
  ledgers: readonly FoundLedger[],
): Promise<Set<FoundLedger>> {
  const keys = ledgers.map(({ ledger, schema, table }) =>
    ledger.lockKey({ tool: ledger.tool, schema, table }, connection.database),
  );
  const distinct = [...new Set(keys.filter((key) => key !== null))].map(String);
  if (distinct.length === 0) return new Set();
  const rows = await connection.rows<{ key: string }>(sql`
    select key::text from unnest(${distinct}::bigint[]) as key
     where not case when pg_try_advisory_lock(key) then pg_advisory_unlock(key) else false end`);
  const held = new Set(rows.map(({ key }) => key));
  return new Set(ledgers.filter((_, index) => held.has(String(keys[index]))));
}
