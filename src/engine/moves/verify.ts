import { EXIT, TenantctlError } from '../../core/errors.js';
import type { Connection } from '../../pg/connection.js';
import { type Sql, ident, join, sql } from '../../pg/sql.js';
import { type Side, tableOf } from '../rows/side.js';
import type { Stage } from './stages.js';
import { type TableSum, rowHash } from '../rows/sums.js';
import { type TenantTable, ownByKey, sameKey } from '../rows/tables.js';

/** The same of the rows that have one of the keys in a temporary table, for several tables at once. */
async function sumKeys(
  session: Connection,
  side: Side,
  tables: readonly { table: TenantTable; keys: Sql }[],
): Promise<TableSum[]> {
  return session.rows<TableSum>(
    join(
      tables.map(
        ({ table, keys }) => sql`
      select ${table.name}::text as table, count(*)::float8 as rows, coalesce(sum(${rowHash(table, 'x')}), 0)::text as hash
        from ${keys} k cross join lateral (
          select * from ${tableOf(side, table.name)} x where ${sameKey(table, 'x', 'k')} and ${ownByKey(side, table, 'x')} offset 0) x`,
      ),
      ' union all ',
    ),
  );
}

/**
 * Compares both homes row by row for the keys of one cycle; keys without a row must be without one on both sides.
 * @throws difference error `MOVE_DIFFERS` (exit 8) that names table and key
 */
export async function verifyKeys(
  source: { session: Connection; side: Side },
  target: { session: Connection; side: Side },
  stages: readonly Stage[],
): Promise<void> {
  if (stages.length === 0) return;
  const [here, there] = await Promise.all([
    sumKeys(
      source.session,
      source.side,
      stages.map((stage) => ({ table: stage.source, keys: stage.touched })),
    ),
    sumKeys(
      target.session,
      target.side,
      stages.map((stage) => ({ table: stage.target, keys: stage.staged })),
    ),
  ]);
  const table = firstDifference(here, there);
  if (table === undefined) return;
  const stage = stages.find((one) => one.source.name === table) as Stage;
  throw differs(table, await differingKey(source, target, stage));
}

/**
 * Compares two lists of sums.
 * @throws difference error `MOVE_DIFFERS` (exit 8) that names the table and both counts
 */
export function compareSums(here: readonly TableSum[], there: readonly TableSum[]): void {
  const table = firstDifference(here, there);
  if (table === undefined) return;
  const count = (sums: readonly TableSum[]): number => sums.find((sum) => sum.table === table)?.rows ?? 0;
  throw differs(table, `${count(here)} rows at the old home, ${count(there)} at the new one`);
}

function firstDifference(here: readonly TableSum[], there: readonly TableSum[]): string | undefined {
  const other = new Map(there.map((sum) => [sum.table, sum]));
  return here.find(({ table, rows, hash }) => {
    const twin = other.get(table);
    return twin?.rows !== rows || twin.hash !== hash;
  })?.table;
}

/** The first key, in no order, whose rows differ; read again in the same snapshots. */
async function differingKey(
  source: { session: Connection; side: Side },
  target: { session: Connection; side: Side },
  { source: here, target: there, touched, staged }: Stage,
): Promise<string> {
  const [one, other] = await Promise.all([
    hashByKey(source.session, source.side, here, touched),
    hashByKey(target.session, target.side, there, staged),
  ]);
  const keys = new Set([...one.keys(), ...other.keys()]);
  const key = [...keys].find((name) => one.get(name) !== other.get(name));
  return key === undefined ? 'the same keys with other rows' : `key ${key}`;
}

async function hashByKey(
  session: Connection,
  side: Side,
  table: TenantTable,
  keys: Sql,
): Promise<Map<string, string>> {
  const rows = await session.rows<{ key: string; hash: string }>(sql`
    select (row(${join(table.key.map((name) => ident('x', name)))}))::text as key, ${rowHash(table, 'x')}::text as hash
      from ${keys} k join ${tableOf(side, table.name)} x on ${sameKey(table, 'x', 'k')} and ${ownByKey(side, table, 'x')}`);
  return new Map(rows.map(({ key, hash }) => [key, hash]));
}

/** Rows of tenants that are not the one that moves: in a home of its own there must be none. */
export async function foreignRows(
  session: Connection,
  side: Side,
  tables: readonly TenantTable[],
): Promise<string | undefined> {
  const tenanted = tables.filter(({ tenantColumn }) => tenantColumn !== null);
  if (side.shared || tenanted.length === 0) return undefined;
  const parts = tenanted.map(
    (table) => sql`select ${table.name}::text as table where exists (
      select from ${tableOf(side, table.name)} where ${ident(table.tenantColumn as string)}::text is distinct from ${side.home.tenant.key})`,
  );
  return (await session.row<{ table: string }>(join(parts, ' union all ')))?.table;
}

/** What a comparison has found; the tenant is where it was. */
export function differs(table: string, what: string): TenantctlError {
  return new TenantctlError(
    'MOVE_DIFFERS',
    EXIT.difference,
    `Table ${table} is not the same in both homes: ${what}.`,
    {
      hint: 'The tenant stays where it is. Look at triggers and rules of that table at the new home, then `tenantctl moves abort`.',
      facts: { table, difference: what },
    },
  );
}
