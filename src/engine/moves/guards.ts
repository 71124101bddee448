import { createHash } from 'node:crypto';
import { conflictError } from '../../core/errors.js';
import { groupBy } from '../../core/group-by.js';
import type { Connection } from '../../pg/connection.js';
import { type Sql, ident, literal, raw, sql } from '../../pg/sql.js';
import { withShortLocks } from './short-locks.js';
import { type Side, tableOf } from '../rows/side.js';
import type { TenantTable } from '../rows/tables.js';

/**
 * Puts the gate and the capture on every table of one side, one table a transaction. From the commit on each write of
 * the tenant passes the gate and leaves the keys of its rows in `tenantctl.dirty`: CREATE TRIGGER has waited for all
 * writers that were inside, so a snapshot taken afterwards misses none. Again: no change.
 *
 * The gate comes before the row, so that who waits at it holds no lock on one; the capture comes after it, as another
 * trigger may still change the key.
 * @param also what is done beside it in the transaction that guards a table
 */
export async function installGuards(
  session: Connection,
  side: Side,
  move: string,
  tables: readonly TenantTable[],
  also: (table: TenantTable) => Sql[] = () => [],
): Promise<void> {
  const there = await guardedTables(session, side, move);
  for (const table of tables) {
    if (there.has(table.name)) continue;
    const beside = also(table);
    const statements = guardStatements(session.user, side, move, table);
    await withShortLocks(session, side, table.name, [...statements, ...beside]);
  }
}

/** Takes gate and capture off again, functions included. Again: no change. */
export async function removeGuards(session: Connection, side: Side, move: string): Promise<void> {
  const triggers = await session.rows<{ table: string; name: string; on: string }>(sql`
    select c.relname as table, t.tgname as name, format('%I.%I', n.nspname, c.relname) as "on" from pg_trigger t
      join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
     where t.tgname like ${`${prefixOf(side, move).replaceAll('_', '\\_')}%`}
       and t.tgparentid = 0 order by 1, 2`);
  const byTable = groupBy(triggers, ({ table }) => table);
  for (const [table, own] of byTable) {
    await withShortLocks(
      session,
      side,
      table,
      own.map(({ name, on }) => sql`drop trigger if exists ${ident(name)} on ${raw(on)}`),
    );
  }
  const functions = await session.rows<{ name: string }>(sql`
    select p.proname as name from pg_proc p join pg_namespace n on n.oid = p.pronamespace
     where n.nspname = 'tenantctl' and p.proname like ${`${prefixOf(side, move).replaceAll('_', '\\_')}%`}`);
  for (const { name } of functions)
    await session.execute(sql`drop function if exists ${ident('tenantctl', name)}`);
}

/** What our triggers and functions of one move begin with: short, as a name has 63 bytes. */
export function prefixOf(side: Pick<Side, 'name'>, move: string): string {
  return `tenantctl_${digest(`${side.name} ${move}`)}_`;
}

function digest(text: string, length = 8): string {
  return createHash('sha256').update(text).digest('hex').slice(0, length);
}

async function guardedTables(session: Connection, side: Side, move: string): Promise<Set<string>> {
  const rows = await session.rows<{ name: string }>(sql`
    select c.relname as name from pg_trigger t
      join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = ${side.home.placement.schema} and t.tgname like ${`${prefixOf(side, move).replaceAll('_', '\\_')}%`}
     group by c.relname having count(*) > ${OPERATIONS.length * 2} and bool_and(t.tgenabled = 'A')`);
  return new Set(rows.map(({ name }) => name));
}

/**
 * Is every write of the tenant held at the gate and marked? Without that nothing may be copied from here: an abort that
 * died half-way has taken gates off, and a person may have.
 * @throws conflict `GUARDS_MISSING` (exit 5)
 */
export async function assertGuarded(
  session: Connection,
  side: Side,
  move: string,
  tables: readonly TenantTable[],
): Promise<void> {
  const there = await guardedTables(session, side, move);
  const bare = tables.filter(({ name }) => !there.has(name)).map(({ name }) => name);
  if (bare.length === 0) return;
  throw conflictError(
    'GUARDS_MISSING',
    `Writes of tenant ${side.home.tenant.id} to ${bare.join(', ')} are not followed any more, so this move cannot go on.`,
    {
      hint: 'The tenant is where it was. Before its point of no return `tenantctl moves abort` takes the move back; in the grace period `tenantctl moves complete` ends it.',
      facts: { tenant: side.home.tenant.id, move, tables: bare },
    },
  );
}

const OPERATIONS = [
  { name: 'insert', rows: ['new'] },
  { name: 'update', rows: ['old', 'new'] },
  { name: 'delete', rows: ['old'] },
] as const;

function guardStatements(admin: string, side: Side, move: string, table: TenantTable): Sql[] {
  const on = tableOf(side, table.name);
  const prefix = prefixOf(side, move);
  // By name: tables that come later must not take the function of another one.
  const capture = ident('tenantctl', `${prefix}${digest(table.name, 16)}`);
  const { tenant, placement } = side.home;
  const gate = raw(`tenantctl.gate(${[move, tenant.id, placement.schema, admin].map(literal).join(', ')})`);
  const refusal = raw(`tenantctl.refuse_truncate(${[move, admin].map(literal).join(', ')})`);
  const names: string[] = [];
  const trigger = (name: string, when: string, what: Sql): Sql => {
    names.push(`${prefix}${name}`);
    return sql`create or replace trigger ${ident(`${prefix}${name}`)} ${raw(when)} on ${on} ${what}`;
  };
  const triggers = OPERATIONS.flatMap(({ name, rows }) => [
    trigger(
      `gate_${name}`,
      `before ${name}`,
      sql`for each row ${ownRowCondition(side, table, rows)} execute function ${gate}`,
    ),
    trigger(
      `mark_${name}`,
      `after ${name}`,
      sql`for each row ${ownRowCondition(side, table, rows)} execute function ${capture}()`,
    ),
  ]);
  // A trigger of the user's that comes after the gate may give a row to this tenant, so the gate looks once more.
  const late = (side.shared && table.lateTriggers ? ['insert', 'update'] : []).map((name) =>
    trigger(
      `late_${name}`,
      `after ${name}`,
      sql`for each row ${ownRowCondition(side, table, ['new'])} execute function ${gate}`,
    ),
  );
  return [
    captureFunction(capture, admin, side, move, table),
    // Whoever may execute it could put it on a table of his own and mark what he likes.
    sql`revoke all on function ${capture}() from public`,
    ...triggers,
    ...late,
    trigger('truncate', 'before truncate', sql`for each statement execute function ${refusal}`),
    // A session in replica mode writes past triggers that are not always enabled.
    ...names.map((name) => sql`alter table ${on} enable always trigger ${ident(name)}`),
    ...table.leaves.flatMap((leaf) => truncateOfLeaf(raw(leaf), ident(`${prefix}truncate`), refusal)),
  ];
}

/** Such a trigger of a partitioned table does not fire when one of its partitions is emptied. */
function truncateOfLeaf(leaf: Sql, name: Sql, refusal: Sql): Sql[] {
  return [
    sql`create or replace trigger ${name} before truncate on ${leaf} for each statement execute function ${refusal}`,
    sql`alter table ${leaf} enable always trigger ${name}`,
  ];
}

/** In a shared table, other tenants' rows cost no more than this comparison. */
function ownRowCondition(side: Side, { tenantColumn }: TenantTable, rows: readonly string[]): Sql {
  if (!side.shared || tenantColumn === null) return raw('');
  const key = literal(side.home.tenant.key);
  const column = ident(tenantColumn).text();
  return raw(`when (${rows.map((row) => `${row}.${column} = ${key}`).join(' or ')})`);
}

/** One function a table, because reading the key of any row in one for all would cost several times as much. */
function captureFunction(name: Sql, admin: string, side: Side, move: string, table: TenantTable): Sql {
  const keyOf = (row: string): string =>
    `array[${table.key.map((column) => `${row}.${ident(column).text()}::text`).join(', ')}]::text[]`;
  const mark = (row: string): string =>
    `insert into tenantctl.dirty (move, side, relation, key) values (${[move, side.name, table.name].map(literal).join(', ')}, ${keyOf(row)});`;
  const body = `begin
    if session_user = ${literal(admin)} and coalesce(current_setting('tenantctl.moving', true), '') = ${literal(move)} then return null; end if;
    if tg_op <> 'INSERT' then ${mark('old')} end if;
    if tg_op = 'INSERT' or (tg_op = 'UPDATE' and ${keyOf('new')} <> ${keyOf('old')}) then ${mark('new')} end if;
    return null;
  end`;
  return sql`create or replace function ${name}() returns trigger language plpgsql security definer
    set search_path = pg_catalog, pg_temp set datestyle = 'ISO, MDY' set intervalstyle = 'postgres' set timezone = 'UTC' set extra_float_digits = 1
    as ${raw(literal(body))}`;
}

/** How many keys one side has marked and nobody has taken yet. */
export async function countDirty(session: Connection, side: Side, move: string): Promise<number> {
  const row = await session.row<{ n: number }>(
    sql`select count(*)::int as n from tenantctl.dirty where move = ${move} and side = ${side.name}`,
  );
  return row?.n ?? 0;
}

/** Forgets what one side has marked: before a full copy, or when the move is over. */
export function forgetDirty(side: Side, move: string): Sql {
  return sql`delete from tenantctl.dirty where move = ${move} and side = ${side.name}`;
}
