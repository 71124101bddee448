import type { Connection } from '../../pg/connection.js';
import { copyRows } from '../../pg/copy.js';
import { refusedError } from '../../core/errors.js';
import { type Sql, ident, join, sql } from '../../pg/sql.js';
import { installGuards } from './guards.js';
import { type Side, tableOf } from '../rows/side.js';
import { type TenantTable, ownRows } from '../rows/tables.js';

/** A home with a session in it. */
interface Seat {
  side: Side;
  session: Connection;
}

/**
 * Marks the writes to tables that a migration has made in the grace period, from now on, and every row that either home
 * has of them: nobody knows which of those were written. Again, also after a crash in between: what is left is done.
 * @param here the home that the tenant lives in
 * @param tables its tables
 * @throws refusal `TABLE_WITHOUT_KEY` (exit 6)
 */
export async function guardLateTables(
  here: Seat,
  there: Seat,
  move: string,
  tables: readonly TenantTable[],
): Promise<void> {
  const { session, side } = here;
  await installGuards(session, side, move, tables, (table) => {
    if (table.key.length === 0) throw withoutKey(table);
    return [sql`insert into tenantctl.dirty (${MARK}) values (${move}, ${side.name}, ${table.name}, '{}')`];
  });
  const rows = await session.rows<{ relation: string }>(
    sql`select relation from tenantctl.dirty where ${isWhole(here, move)}`,
  );
  const whole = new Set(rows.map(({ relation }) => relation));
  for (const table of tables)
    if (table.key.length > 0 && whole.has(table.name)) await markEveryRow(here, there, move, table);
}

/** Marks the keys of every row that either home has in a table, so that the next cycle compares and carries them all. */
export async function markEveryRow(here: Seat, there: Seat, move: string, table: TenantTable): Promise<void> {
  const marks = (side: Side): Sql => sql`
    select ${move}::text, ${here.side.name}::text, ${table.name}::text, array[${keyAsText(table)}]
      from ${tableOf(side, table.name)} x where ${ownRows(side, table, 'x')}`;
  await here.session.transaction(async () => {
    await copyRows(there.session, marks(there.side), here.session, sql`tenantctl.dirty (${MARK})`);
    await here.session.execute(sql`insert into tenantctl.dirty (${MARK}) ${marks(here.side)}`);
    await here.session.execute(
      sql`delete from tenantctl.dirty where ${isWhole(here, move)} and relation = ${table.name}`,
    );
  });
}

const MARK = sql`move, side, relation, key`;

/** A mark without a key stands for the whole table; it is there from the moment that the table is guarded. */
function isWhole({ side }: Seat, move: string): Sql {
  return sql`move = ${move} and side = ${side.name} and key = '{}'`;
}

function keyAsText({ key }: TenantTable): Sql {
  return join(key.map((name) => sql`${ident('x', name)}::text`));
}

function withoutKey({ name }: TenantTable) {
  return refusedError(
    'TABLE_WITHOUT_KEY',
    `Table ${name} is new since the move and has no key, so its rows cannot be brought back.`,
    {
      hint: `Give it a primary key with a migration, then undo again; the tenant is where it was.`,
      facts: { table: name },
    },
  );
}
