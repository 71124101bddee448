import { type Sql, ident, join, raw, sql } from '../../../pg/sql.js';
import { PRESENT, keyColumns } from '../stages.js';
import { storedColumns } from '../../rows/tables.js';
import { ROUND, columnsOf, image, rowWithKey, sameKeys } from './parts.js';
import type { Pool, PoolTable } from './pool-tables.js';
import type { UniqueIndex } from './unique-indexes.js';

/**
 * The statement that finds the rows which have to go before the others are written: those that hold a unique value
 * that another staged row shall have, and those with a change that UPDATE cannot make. A holder is always staged
 * itself: at the source its value has changed hands. Undefined where nothing can be in the way.
 *
 * Both sides of the comparison are evaluated by themselves, so that an index is not needed to answer it: behind
 * row-level security an index over an expression is not used.
 */
export function findEarly(pool: Pool, table: PoolTable): Sql | undefined {
  const conflicts = [
    ...table.uniques.map((unique) => takenValue(table, unique)),
    ...(table.fixed.length === 0 ? [] : [fixedChange(table)]),
  ];
  if (conflicts.length === 0) return undefined;
  return sql`insert into ${table.early} (${keyColumns(table.table)}, ${ROUND})
    with held as materialized (select x.* from ${table.staged} s cross join lateral ${rowWithKey(pool, table, 's')} x),
      wanted as (select ${storedColumns(table.table)}${generatedValues(table)} from ${table.staged} where ${PRESENT})
    select distinct ${columnsOf('h', table.table.key)}, 0 from (${join(conflicts, ' union all ')}) h`;
}

/** Generated columns are not staged, but a unique index may be over one. */
function generatedValues({ generated }: PoolTable): Sql {
  const values = generated.map(({ name, expression }) => sql`, (${raw(expression)}) as ${ident(name)}`);
  return join(values, '');
}

function takenValue(table: PoolTable, unique: UniqueIndex): Sql {
  const value = (n: number): string => `tenantctl_${n}`;
  const values = join(unique.parts.map(({ expression }, n) => sql`${raw(expression)} as ${ident(value(n))}`));
  const where = unique.predicate === null ? raw('') : sql`where ${raw(unique.predicate)}`;
  const from = (rows: string): Sql =>
    sql`(select ${keyColumns(table.table)}, ${values} from ${raw(rows)} ${where})`;
  const equal = unique.parts.map(({ equals }, n) => {
    const [one, other] = [ident('h', value(n)), ident('w', value(n))];
    const same = sql`${one} ${raw(equals)} ${other}`;
    return unique.nullsEqual ? sql`(${same} or (${one} is null and ${other} is null))` : same;
  });
  return sql`select ${columnsOf('h', table.table.key)} from ${from('held')} h join ${from('wanted')} w
    on ${join(equal, ' and ')} where not (${sameKeys(table, 'h', 'w')})`;
}

function fixedChange(table: PoolTable): Sql {
  return sql`select ${columnsOf('h', table.table.key)} from held h join wanted w on ${sameKeys(table, 'h', 'w')}
    where ${image('h', table.fixed)} *<> ${image('w', table.fixed)}`;
}
