import { EXIT, TenantctlError } from '../../core/errors.js';
import type { Connection } from '../../pg/connection.js';
import { type Sql, raw, sql } from '../../pg/sql.js';
import { type ScopedTable, scopedRows } from '../rows/scope.js';
import { type Side, tableOf } from '../rows/side.js';
import { type TableSum, hashOf } from '../rows/sums.js';
import type { TenantTable } from '../rows/tables.js';
import type { Pair } from './pair.js';
import { asExported } from './rekey.js';

/** Rows and hash of each table of an export, over its columns, as they are in the home now. */
export async function sumRestored(
  session: Connection,
  side: Side,
  pairs: readonly Pair<ScopedTable>[],
): Promise<TableSum[]> {
  const sums: TableSum[] = [];
  for (const { target, carried, rekeying } of pairs) {
    const row = await session.row<TableSum>(sql`
      select ${target.name}::text as table, count(*)::float8 as rows, coalesce(sum(${hashOf(asExported(rekeying, carried, 'x'))}), 0)::text as hash
        from ${only(target)}${tableOf(side, target.name)} x where ${scopedRows(side, target, 'x')}`);
    sums.push(row as TableSum);
  }
  return sums;
}

/** A table from which others inherit would count their rows as well. A partitioned one has none of its own. */
export function only({ leaves }: TenantTable): Sql {
  return raw(leaves.length > 0 ? '' : 'only ');
}

/** Those tables whose rows are not what an export says, in words. */
export function differencesFrom(
  expected: readonly { table: string; rows: number; hash: string }[],
  sums: readonly TableSum[],
): string[] {
  const found = new Map(sums.map((sum) => [sum.table, sum]));
  return expected.flatMap(({ table, rows, hash }) => {
    const sum = found.get(table);
    if (sum?.rows !== rows) return [`table ${table} has ${sum?.rows ?? 0} rows instead of ${rows}`];
    return sum.hash === hash ? [] : [`table ${table} has other values in its ${rows} rows`];
  });
}

/**
 * Compares what was restored with what the export says, before anybody may see it.
 * @throws difference error `RESTORE_DIFFERS` (exit 8)
 */
export async function assertRestored(
  session: Connection,
  side: Side,
  pairs: readonly Pair<ScopedTable>[],
): Promise<TableSum[]> {
  const sums = await sumRestored(session, side, pairs);
  const differences = differencesFrom(
    pairs.map(({ exported }) => exported),
    sums,
  );
  if (differences.length === 0) return sums;
  throw new TenantctlError(
    'RESTORE_DIFFERS',
    EXIT.difference,
    `What came to the home of tenant ${side.home.tenant.id} is not what the export holds: ${differences.slice(0, 4).join('; ')}.`,
    {
      hint: 'None of its rows was kept and nothing was opened. Look at triggers, rules and policies of these tables there.',
      facts: { tenant: side.home.tenant.id, differences },
    },
  );
}
