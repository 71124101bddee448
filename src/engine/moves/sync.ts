import { conflictError } from '../../core/errors.js';
import type { Reach } from '../../core/faults.js';
import type { Connection } from '../../pg/connection.js';
import { copyRows } from '../../pg/copy.js';
import { type Sql, ident, join, raw, sql } from '../../pg/sql.js';
import type { Receiver } from './receiver.js';
import { type Side, tableOf } from '../rows/side.js';
import { PRESENT, type Stage } from './stages.js';
import { type TenantTable, ownByKey, sameKey, storedColumns } from '../rows/tables.js';
import { verifyKeys } from './verify.js';

/** Both ends of a move, with the sessions that work for it. */
export interface Stream {
  move: string;
  from: { side: Side; session: Connection };
  to: { side: Side; session: Connection; receiver: Receiver };
  stages: readonly Stage[];
  /** Stands for the tables of the home that is left, as they were when the stream was opened. */
  signature: string;
  reach: Reach;
}

/** What one cycle has done. */
export interface Cycle {
  keys: number;
  ms: number;
}

/**
 * Brings the other home up to one moment of this one: takes the keys that were marked, reads their rows in the same
 * snapshot, makes the other home say the same and compares the two key by key. The other home commits first: when we
 * are killed between the two commits the keys are still marked, and the next cycle does the same again.
 * @param inspect looks at both homes while they are equal, before anything is committed
 * @throws difference error `MOVE_DIFFERS` or `MOVE_SIDE_EFFECT` (exit 8); both homes are then as before
 */
export async function cycle(
  stream: Stream,
  inspect: () => Promise<void> = () => Promise.resolve(),
): Promise<Cycle> {
  const began = performance.now();
  let keys = 0;
  await stream.from.session.transaction(async () => {
    await stream.to.session.transaction(async () => {
      keys = await transfer(stream);
      await inspect();
    });
    if (keys > 0) stream.reach('move.applied');
  }, 'begin isolation level repeatable read');
  return { keys, ms: performance.now() - began };
}

/**
 * The work of a cycle, in transactions of the caller's: in the fence it decides with more than this.
 * @returns the number of keys
 */
export async function transfer(stream: Stream): Promise<number> {
  const taken = await takeKeys(stream);
  if (taken.size === 0) return 0;
  const touched = stream.stages.filter(({ source }) => taken.has(source.name));
  for (const stage of touched) await stageRows(stream, stage);
  await stream.to.receiver.apply(stream.to.session, touched);
  await verifyKeys(stream.from, stream.to, touched);
  await clear(stream, touched);
  return [...taken.values()].reduce((sum, keys) => sum + keys, 0);
}

/** Takes every mark and sorts the keys by table. */
async function takeKeys({ move, from, stages }: Stream): Promise<Map<string, number>> {
  const keyed = stages.filter(({ source }) => source.key.length > 0);
  const sorted = keyed.map(
    ({ source, touched }, index) => sql`${ident(`t${index}`)} as (
      insert into ${touched} select distinct ${typedKey(source)} from gone where relation = ${source.name})`,
  );
  const rows = await from.session.rows<{ relation: string; keys: number }>(sql`
    with gone as (delete from tenantctl.dirty where move = ${move} and side = ${from.side.name} returning relation, key),
      ${join(sorted)}
    select relation, count(*)::int as keys from gone group by relation`);
  const blind = rows.find(({ relation }) => !keyed.some(({ source }) => source.name === relation));
  if (blind !== undefined) throw cannotFollow(blind.relation);
  return new Map(rows.map(({ relation, keys }) => [relation, keys]));
}

/** An offline move takes a table without a key along; what is written there afterwards cannot be brought back row by row. */
function cannotFollow(table: string) {
  return conflictError(
    'CHANGES_WITHOUT_KEY',
    `Table ${table} has been written to, and without a key nothing says which rows of the other home those are.`,
    {
      hint: 'Complete the move, give the table a primary key, or move the tenant back with `promote --method offline`.',
      facts: { table },
    },
  );
}

/** Marks are text; as values of their types they find rows by index, and two spellings of one key are one. */
function typedKey({ key, columns }: TenantTable): Sql {
  return join(
    key.map((name, index) => {
      const { type = 'text', collation = null } = columns.find((column) => column.name === name) ?? {};
      const typed = sql`key[${raw(String(index + 1))}]::${raw(type)}`;
      return collation === null ? typed : sql`${typed} collate ${raw(collation)}`;
    }),
  );
}

/** Sends the keys of one table with the rows they have now, or with none. */
async function stageRows({ from, to }: Stream, stage: Stage): Promise<void> {
  const { source, target, touched, staged } = stage;
  const stored = source.columns.filter(({ generated }) => !generated).map(({ name }) => name);
  // Of two keys that count as equal, as 1.0 and 1.00 do, the row has the one that is to arrive.
  const values = stored.map((name) =>
    source.key.includes(name) ? sql`coalesce(${ident('x', name)}, ${ident('k', name)})` : ident('x', name),
  );
  const query = sql`
    select ${join(values)}, ${ident('x', source.key[0] as string)} is not null
      from ${touched} k left join lateral (
        select * from ${tableOf(from.side, source.name)} x
         where ${sameKey(source, 'x', 'k')} and ${ownByKey(from.side, source, 'x')} offset 0) x on true`;
  await copyRows(from.session, query, to.session, sql`${staged} (${storedColumns(target)}, ${PRESENT})`);
}

async function clear({ from, to }: Stream, touched: readonly Stage[]): Promise<void> {
  const emptied = (tables: readonly Sql[]): string =>
    `delete from ${tables.map((table) => table.text()).join('; delete from ')}`;
  await Promise.all([
    from.session.message(emptied(touched.map((stage) => stage.touched))),
    to.session.message(emptied(touched.map((stage) => stage.staged))),
  ]);
}
