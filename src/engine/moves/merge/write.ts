import { type Sql, ident, join, sql } from '../../../pg/sql.js';
import { tableOf } from '../../rows/side.js';
import { PRESENT } from '../stages.js';
import { storedColumns } from '../../rows/tables.js';
import { PLACE, atPlace, columnsOf, image, rowWithKey, storedNames, wantedRows } from './parts.js';
import type { Pool, PoolTable } from './pool-tables.js';

/** What a statement does to the rows of a table, as the server counts it. */
export type Deed = 'insert' | 'update' | 'delete';

/** A part of a statement that writes to one table. */
export interface Writing {
  table: PoolTable;
  deed: Deed;
  text: Sql;
}

/** Removes the rows that have to go first. */
export function removeEarly(pool: Pool, table: PoolTable): Writing {
  return removal(pool, table, table.early);
}

/** Makes the wanted rows stand there: those that differ change in their places, those that are missing come. */
export function writeWanted(pool: Pool, table: PoolTable): Writing[] {
  const name = tableOf(pool.side, table.table.name);
  const stored = storedNames(table);
  const columns = storedColumns(table.table);
  const settable = stored.filter(
    (column) => !table.table.key.includes(column) && !table.always.includes(column),
  );
  const changes = settable.map((column) => sql`${ident(column)} = ${ident('y', column)}`);
  const insert = sql`insert into ${name} (${columns}) overriding system value
    select ${columnsOf('s', stored)} from ${wantedRows(table)} s left join lateral ${rowWithKey(pool, table, 's')} x on true
     where ${ident('x', table.table.key[0] as string)} is null`;
  const update = sql`update ${name} x set ${join(changes)}
    from (select s.*, ${PLACE} from ${wantedRows(table)} s cross join lateral ${rowWithKey(pool, table, 's')} x
           where ${image('x', stored)} *<> ${image('s', stored)} offset 0) y
    where ${atPlace(pool, table)}`;
  return [
    ...(changes.length === 0 ? [] : [{ table, deed: 'update' as const, text: update }]),
    { table, deed: 'insert', text: insert },
  ];
}

/** Removes the rows that are no longer at the source. Nothing refers to them any more. */
export function removeVanished(pool: Pool, table: PoolTable): Writing {
  return removal(pool, table, sql`(select * from ${table.staged} where not ${PRESENT})`);
}

function removal(pool: Pool, table: PoolTable, keys: Sql): Writing {
  const text = sql`delete from ${tableOf(pool.side, table.table.name)} x
    using (select ${PLACE} from ${keys} s cross join lateral ${rowWithKey(pool, table, 's')} x offset 0) y
    where ${atPlace(pool, table)}`;
  return { table, deed: 'delete', text };
}

/** Takes in all that is staged, where the tenant has no row. */
export function insertStaged(pool: Pool, table: PoolTable): Writing {
  const columns = storedColumns(table.table);
  const text = sql`insert into ${tableOf(pool.side, table.table.name)} (${columns}) overriding system value
    select ${columns} from ${table.staged}`;
  return { table, deed: 'insert', text };
}

/**
 * One statement of several writings, which gives their counts as an array. Foreign keys look when the statement is
 * through, so within it rows that refer to each other come and go in any order.
 */
export function together(writings: readonly Writing[], into = sql`as counts`): Sql {
  const parts = writings.map(({ text }, n) => sql`${ident(`w${n}`)} as (${text} returning 1)`);
  const counts = writings.map((_, n) => sql`(select count(*) from ${ident(`w${n}`)})`);
  return sql`with ${join(parts)} select array[${join(counts)}] ${into}`;
}
