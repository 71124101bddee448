import type { Connection } from '../../pg/connection.js';
import { type Sql, ident, join, sql } from '../../pg/sql.js';
import { type Side, tableOf } from '../rows/side.js';
import type { TenantTable } from '../rows/tables.js';
import type { Pair } from './pair.js';

/** How the rows of a reference table that came with an export compare with those of the home, whose own rows rule. */
export interface Comparison {
  table: string;
  /** Rows that the home lacks. */
  missing: number;
  /** The first of them, by key. */
  examples: string[];
  /** Rows of the same key with other values. */
  different: number;
}

const EXAMPLES = 5;

/** Compares the rows of one table that are staged with those of the home. */
export async function compareReference(
  session: Connection,
  side: Side,
  { target, carried }: Pair,
  staged: Sql,
): Promise<Comparison> {
  const there = twinOf(side, target, carried);
  const shown = target.key.length > 0 ? target.key : carried.columns.map(({ name }) => name);
  const key = join(shown.map((name) => ident('s', name)));
  const row = await session.row<Omit<Comparison, 'table'>>(sql`
    with compared as (
      select row(${key})::text as key, exists (select from ${there}) as present,
        exists (select from ${there} and ${image('x', carried)} = ${image('s', carried)}) as same
        from ${staged} s)
    select count(*) filter (where not present)::int as missing, count(*) filter (where present and not same)::int as different,
      coalesce((array_agg(key order by key) filter (where not present))[1:${EXAMPLES}::int], '{}') as examples from compared`);
  return { table: target.name, ...(row as Omit<Comparison, 'table'>) };
}

/** The statement that adds the staged rows which a home of the tenant's own lacks. */
export function insertMissing(side: Side, { target, carried }: Pair, staged: Sql): Sql {
  const columns = join(carried.columns.map(({ name }) => ident(name)));
  return sql`
    insert into ${tableOf(side, target.name)} (${columns}) overriding system value
    select ${columns} from ${staged} s where not exists (select from ${twinOf(side, target, carried)})
    on conflict do nothing`;
}

/** `table x where …`: the row of the home that is the staged row `s`; without a key one that is the same altogether. */
function twinOf(side: Side, target: TenantTable, carried: TenantTable): Sql {
  const table = tableOf(side, target.name);
  const carriesKey = target.key.every((name) => carried.columns.some((column) => column.name === name));
  if (target.key.length === 0 || !carriesKey)
    return sql`${table} x where ${image('x', carried)} = ${image('s', carried)}`;
  const same = target.key.map((name) => sql`${ident('x', name)} = ${ident('s', name)}`);
  return sql`${table} x where ${join(same, ' and ')}`;
}

/** As text, because not every type knows whether two values are equal. */
function image(alias: string, { columns }: TenantTable): Sql {
  return sql`row(${join(columns.map(({ name }) => ident(alias, name)))})::text`;
}
