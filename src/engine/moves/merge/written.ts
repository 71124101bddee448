import type { Connection } from '../../../pg/connection.js';
import { sql } from '../../../pg/sql.js';
import { type Effect, SLOTS, WRITTEN } from './self-check.js';
import type { Deed } from './write.js';

/** Rows written by table, in the order of `SLOTS`; tables by their object identifiers. */
type Written = Map<number, { table: string; counts: number[] }>;

/** What this transaction has written; `writtenFunction` is there. */
export async function readWritten(session: Connection): Promise<Written> {
  const rows = await session.rows<{ root: number; table: string; counts: string[] }>(
    sql`select root, root::regclass::text as table, counts from ${WRITTEN}`,
  );
  return new Map(rows.map(({ root, table, counts }) => [root, { table, counts: counts.map(Number) }]));
}

/** The tables of which other rows than the planned ones were written, or in another way. */
export function sideEffects(
  deed: Deed,
  planned: ReadonlyMap<number, number>,
  before: Written,
  after: Written,
): Effect[] {
  return [...after].flatMap(([root, { table, counts }]) => {
    const done = counts.map((count, n) => count - (before.get(root)?.counts[n] ?? 0));
    const expected = SLOTS.map((slot) => (slot === deed ? (planned.get(root) ?? 0) : 0));
    return done.every((count, n) => count === expected[n]) ? [] : [{ table, planned: expected, done }];
  });
}
