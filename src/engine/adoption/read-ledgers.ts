import { groupBy } from '../../core/group-by.js';
import type { Connection } from '../../pg/connection.js';
import { type Sql, ident, join, raw, sql } from '../../pg/sql.js';
import type { LedgerRow } from '../formats/ledgers/ledger.js';
import type { FoundLedger } from './find-ledgers.js';

/** Tables that one statement reads: each is planned for itself. */
const TABLES_A_STATEMENT = 200;

/** What a ledger holds, as a number: equal ones have equal rows. */
export type LedgerDigest = string;

/**
 * The digests of many ledgers of one database. Most units of a fleet have the same history, so that only one of each digest
 * must be read.
 */
export async function digestLedgers(
  connection: Connection,
  ledgers: readonly FoundLedger[],
): Promise<Map<FoundLedger, LedgerDigest>> {
  const digests = new Map<FoundLedger, LedgerDigest>();
  for (let from = 0; from < ledgers.length; from += TABLES_A_STATEMENT) {
    const some = ledgers.slice(from, from + TABLES_A_STATEMENT);
    const parts = some.map((ledger, n) => sql`select ${raw(String(n))} as n, ${digestOf(ledger)} as digest`);
    const rows = await connection.rows<{ n: number; digest: string }>(join(parts, ' union all '));
    connection.touched += some.length;
    for (const { n, digest } of rows) digests.set(some[n] as FoundLedger, digest);
  }
  return digests;
}

/** The condition that a ledger still holds what it did: for the transaction that relies on it. */
export function unchanged(ledger: FoundLedger, digest: LedgerDigest): Sql {
  return sql`${digestOf(ledger)} = ${digest}`;
}

/** The rows of one ledger of each digest, in the ledger's order. */
export async function readLedgerRows(
  connection: Connection,
  digests: ReadonlyMap<FoundLedger, LedgerDigest>,
): Promise<Map<LedgerDigest, readonly LedgerRow[]>> {
  const rows = new Map<LedgerDigest, readonly LedgerRow[]>();
  for (const [digest, alike] of groupBy(digests, ([, found]) => found)) {
    const [ledger] = alike[0] as [FoundLedger, string];
    rows.set(digest, await rowsOf(connection, ledger));
  }
  return rows;
}

async function rowsOf(connection: Connection, found: FoundLedger): Promise<readonly LedgerRow[]> {
  const columns = columnsOf(found);
  const order = found.ledger.order
    .filter((column) => found.columns.includes(column))
    .map((column) => ident(column));
  const pairs = columns.map((column) => sql`${column}::text, ${ident(column)}`);
  return (
    (
      await connection.row<{ rows: LedgerRow[] }>(sql`
        select coalesce(jsonb_agg(jsonb_build_object(${join(pairs)}) order by ${join(order)}), '[]') as rows
          from ${ident(found.schema, found.table)}`)
    )?.rows ?? []
  );
}

/** Its tool is a part: rows that look alike mean something else to another one. */
function digestOf(found: FoundLedger): Sql {
  const columns = columnsOf(found).map((column) => ident(column));
  return sql`(select concat(${found.ledger.tool}::text, ' ', count(*), ' ', sum(hashtextextended(row(${join(columns)})::text, 0)))
    from ${ident(found.schema, found.table)})`;
}

function columnsOf({ ledger, columns }: FoundLedger): string[] {
  return ledger.columns.filter((column) => columns.includes(column));
}
