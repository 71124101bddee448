import { refusedError } from '../../core/errors.js';
import { type GlobalUnique, readGlobalUniques } from '../../engine/moves/preflight/unique-values.js';
import type { Stage } from '../../engine/moves/stages.js';
import type { Pair } from '../../engine/restore/pair.js';
import { type ScopedTable, scopedRows } from '../../engine/rows/scope.js';
import { type Side, tableOf } from '../../engine/rows/side.js';
import type { Connection } from '../../pg/connection.js';
import { isDatabaseError } from '../../pg/errors.js';
import { type Sql, ident, join, raw, sql } from '../../pg/sql.js';

const NO_SUCH_COLUMN = '42703';

/**
 * Looks in a pool for values of the staged rows that all its tenants may have only once.
 * @throws refusal `RESTORE_VALUE_TAKEN` (exit 6) that names constraint and table
 */
export async function assertNothingTaken(
  session: Connection,
  side: Side,
  pairs: readonly Pair<ScopedTable>[],
  stages: readonly Stage[],
): Promise<void> {
  const tables = pairs.map(({ target }) => target);
  for (const unique of await readGlobalUniques({ session, side, tables })) {
    const at = tables.findIndex(({ name }) => name === unique.table);
    const table = tables[at];
    const stage = stages[at];
    if (table === undefined || stage === undefined) continue;
    const others = sql`not (${scopedRows(side, table, 'x')})`;
    const there = valuesOf(unique, tableOf(side, table.name), 'x', others);
    const value = await firstCommon(session, unique, there, valuesOf(unique, stage.staged, 'x', sql`true`));
    if (value !== undefined) throw taken(side, unique.table, unique.name, `value ${value} of `);
  }
}

function valuesOf({ expressions, predicate }: GlobalUnique, relation: Sql, alias: string, mine: Sql): Sql {
  const list = expressions.map((expression, n) => sql`${raw(`(${expression})`)} as ${ident(`v${n}`)}`);
  const condition = predicate === null ? mine : sql`${mine} and (${raw(predicate)})`;
  return sql`select ${join(list)} from ${relation} ${ident(alias)} where ${condition}`;
}

async function firstCommon(
  session: Connection,
  { expressions, nullsEqual }: GlobalUnique,
  there: Sql,
  brought: Sql,
): Promise<string | undefined> {
  const same = expressions.map((_, n) => {
    const [one, other] = [ident('o', `v${n}`), ident('b', `v${n}`)];
    return nullsEqual ? sql`${one} is not distinct from ${other}` : sql`${one} = ${other}`;
  });
  try {
    const row = await session.row<{ value: string }>(
      sql`select row(b.*)::text as value from (${there}) o join (${brought}) b on ${join(same, ' and ')} limit 1`,
    );
    return row?.value;
  } catch (error) {
    // Over a computed column, which is computed only when the row is written: the server will tell then.
    if (isDatabaseError(error) && error.code === NO_SUCH_COLUMN) return undefined;
    throw error;
  }
}

/** The refusal of a value that somebody else has. */
export function taken({ home }: Side, table: string, constraint: string, value: string, cause?: unknown) {
  const { pool, database, schema } = home.placement;
  return refusedError(
    'RESTORE_VALUE_TAKEN',
    `Another tenant of pool ${pool} has ${value}unique key ${constraint} of table ${schema}.${table} already, so the export cannot come in beside it.`,
    {
      hint: `None of its rows was kept. Restore it into a home of its own (--tier schema), or let the key hold for one tenant, with a migration that puts the tenant column into it.`,
      facts: { tenant: home.tenant.id, pool, database, table, constraint },
      cause,
    },
  );
}
