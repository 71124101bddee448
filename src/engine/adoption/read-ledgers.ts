import { groupBy } from '../../core/group-by.js';
import type { Connection } from '../../pg/connection.js';
import { type Sql, ident, join, raw, sql } from '../../pg/sql.js';
import type { LedgerRow } from '../formats/ledgers/ledger.js';
import type { FoundLedger } from './find-ledgers.js';

/** Tables that one statement reads: each is planned for itself. */
const TABLES_A_STATEMENT = 200;

/** What a ledger holds, as a number: equal ones have equal rows. */
export type LedgerDigest = string;

/** Who holds a table meanwhile is not waited for, as whoever comes after us would wait as well; hidden rows make a statement fail. */
const BEGIN = `begin read only; set local lock_timeout = '1s'; set local row_security = off`;

function briefly<T>(connection: Connection, work: () => Promise<T>): Promise<T> {
  return connection.transaction(work, BEGIN);
}

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
    const rows = await briefly(connection, () =>
      connection.rows<{ n: number; digest: string }>(join(parts, ' union all ')),
    );
    connection.touched += some.length;
    for (const { n, digest } of rows) digests.set(some[n] as FoundLedger, digest);
  }
  return digests;
}

/** The condition that a ledger still holds what it did: for the transaction that relies on it. */
export function unchanged(ledger: FoundLedger, digest: LedgerDigest): Sql {
  return sql`${digestOf(ledger)} = ${digest}`;
}

/**
 * The rows of one ledger of each digest, in the ledger's order. A digest of which every ledger has changed since is not in the
 * answer.
 */
export async function readLedgerRows(
  connection: Connection,
  digests: ReadonlyMap<FoundLedger, LedgerDigest>,
): Promise<Map<LedgerDigest, readonly LedgerRow[]>> {
  const rows = new Map<LedgerDigest, readonly LedgerRow[]>();
  for (const [digest, alike] of groupBy(digests, ([, found]) => found)) {
    for (const [ledger] of alike) {
      const read = await briefly(connection, () => rowsOf(connection, ledger));
      if (read.digest !== digest) continue;
      rows.set(digest, read.rows);
      break;
    }
  }
  return rows;
}

/** With the digest that they have, as one statement sees both: others may be judged by them. */
async function rowsOf(
  connection: Connection,
  found: FoundLedger,
): Promise<{ digest: LedgerDigest; rows: readonly LedgerRow[] }> {
  const { order } = found.ledger;
  const sorted = order.filter((column) => found.columns.includes(column)).map((column) => ident(column));
  const pairs = valuesOf(found).map(({ column, value }) => sql`${column}::text, ${value}`);
  const [row] = await connection.rows<{ digest: LedgerDigest; rows: LedgerRow[] }>(sql`
    select ${digestOf(found)} as digest,
           (select coalesce(jsonb_agg(jsonb_build_object(${join(pairs)}) order by ${join(sorted)}), '[]')
              from ${ident(found.schema, found.table)}) as rows`);
  return row as { digest: LedgerDigest; rows: LedgerRow[] };
}

/** Its tool is a part: rows that look alike mean something else to another one. */
function digestOf(found: FoundLedger): Sql {
  const values = valuesOf(found).map(({ value }) => value);
  return sql`(select concat(${found.ledger.tool}::text, ' ', count(*), ' ', sum(hashtextextended(row(${join(values)})::text, 0)))
    from ${ident(found.schema, found.table)})`;
}

/** What is read of a row: columns, and of some only whether they have a value. */
function valuesOf({ ledger, columns }: FoundLedger): { column: string; value: Sql }[] {
  const there = (column: string): boolean => columns.includes(column);
  return [
    ...ledger.columns.filter(there).map((column) => ({ column, value: ident(column) })),
    ...ledger.filled.filter(there).map((column) => ({ column, value: sql`(${ident(column)} is not null)` })),
  ];
}
