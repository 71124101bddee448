import { groupBy } from '../../../core/group-by.js';
import type { Connection } from '../../../pg/connection.js';
import { withLock } from '../../../pg/locks.js';
import { type Sql, ident, raw, sql } from '../../../pg/sql.js';
import { withShortLocks } from '../short-locks.js';
import type { Side } from '../../rows/side.js';
import type { TenantTable } from '../../rows/tables.js';
import { movedRelations } from './moved-relations.js';
import { MARK, silencedDefinition } from './silenced-definition.js';

interface Trigger {
  /** Qualified and quoted. */
  relation: string;
  name: string;
  definition: string;
  always: boolean;
  constraint: boolean;
  silenced: boolean;
  /** The definition that this move has to put back. */
  own: string | null;
  /** The one that another move has to put back. */
  others: string | null;
}

/**
 * Keeps the user's triggers on the moved tables from firing for the mover; they go on firing for everybody else. One
 * table a transaction, each with its triggers' original definitions written down in the same one. Again: no change.
 */
export async function silenceTriggers(
  session: Connection,
  side: Side,
  move: string,
  tables: readonly TenantTable[],
): Promise<void> {
  await alone(session, side, async () => {
    const triggers = await readTriggers(session, side, move, tables);
    const due = triggers.filter(({ silenced, own }) => !silenced || own === null);
    for (const [table, own] of groupBy(due, ({ relation }) => relation))
      await withShortLocks(
        session,
        side,
        table,
        own.flatMap((trigger) => silencing(session.user, side, move, trigger)),
      );
  });
}

/**
 * Puts the original definitions back, unless another move still needs the trigger silent or somebody has replaced or
 * dropped it. Again: no change.
 */
export async function restoreTriggers(
  session: Connection,
  side: Side,
  move: string,
  tables: readonly TenantTable[],
): Promise<void> {
  await alone(session, side, async () => {
    const triggers = await readTriggers(session, side, move, tables);
    const due = triggers.filter(({ silenced, own, others }) => silenced && own !== null && others === null);
    for (const [table, own] of groupBy(due, ({ relation }) => relation)) {
      await withShortLocks(
        session,
        side,
        table,
        own.flatMap((trigger) => [
          ...replacing(trigger, trigger.own as string),
          sql`delete from tenantctl.set_aside where ${asideOf(side, move)} and relation = ${trigger.relation} and name = ${trigger.name}`,
        ]),
      );
    }
    await session.execute(sql`delete from tenantctl.set_aside where ${asideOf(side, move)}`);
  });
}

/** Two moves into one pool silence the same triggers: one of them looks and acts at a time. */
function alone(session: Connection, { home }: Side, work: () => Promise<void>): Promise<void> {
  return withLock(session, 'cluster', `triggers of ${session.database}.${home.placement.schema}`, work);
}

function asideOf(side: Side, move: string): Sql {
  return sql`move = ${move} and side = ${side.name} and kind = 'silenced trigger'`;
}

/** Triggers that fire for the rows that a session of ours writes, with nothing left to the search path. */
async function readTriggers(
  session: Connection,
  side: Side,
  move: string,
  tables: readonly TenantTable[],
): Promise<Trigger[]> {
  const names = tables.map(({ name }) => name);
  const results = await session.atomically([
    raw(`set local search_path = pg_catalog`),
    sql`with ${movedRelations(side.home.placement.schema, names)}
      select t.tgrelid::regclass::text as relation, t.tgname::text as name, d.definition, t.tgenabled = 'A' as always,
        t.tgconstraint <> 0 as constraint, position(${MARK} in d.definition) > 0 as silenced,
        a.definition as own, (select o.definition from tenantctl.set_aside o
          where o.kind = 'silenced trigger' and o.relation = t.tgrelid::regclass::text and o.name = t.tgname
            and (o.move <> ${move} or o.side <> ${side.name}) limit 1) as others
        from moved join pg_trigger t on t.tgrelid = moved.relid
        cross join lateral (select pg_get_triggerdef(t.oid) as definition) d
        left join tenantctl.set_aside a on ${asideOf(side, move)} and a.relation = t.tgrelid::regclass::text and a.name = t.tgname
       where not t.tgisinternal and t.tgparentid = 0 and t.tgenabled in ('O', 'A') and t.tgtype & 28 <> 0
         and t.tgname not like 'tenantctl\\_%'
       order by 1, 2`,
  ]);
  return (results.at(-1)?.rows ?? []) as unknown as Trigger[];
}

function silencing(admin: string, side: Side, move: string, trigger: Trigger): Sql[] {
  const { relation, name, definition, silenced, own, others } = trigger;
  const original = silenced ? (others ?? own) : definition;
  // Somebody has left it silent without a word of how it was: it does not fire for us, and is not ours to change.
  if (original === null) return [];
  return [
    sql`insert into tenantctl.set_aside (move, side, relation, kind, name, definition)
      values (${move}, ${side.name}, ${relation}, 'silenced trigger', ${name}, ${original})
      on conflict (move, side, relation, kind, name) do update set definition = excluded.definition`,
    ...(silenced ? [] : replacing(trigger, silencedDefinition(definition, admin))),
  ];
}

/** A constraint trigger cannot be replaced; it is dropped and made in the same transaction. */
function replacing({ relation, name, always, constraint }: Trigger, definition: string): Sql[] {
  const on = raw(relation);
  return [
    ...(constraint
      ? [sql`drop trigger ${ident(name)} on ${on}`, raw(definition)]
      : [raw(definition.replace(/^CREATE TRIGGER/, 'CREATE OR REPLACE TRIGGER'))]),
    // A trigger that was made anew fires in the ordinary way.
    ...(always ? [sql`alter table ${on} enable always trigger ${ident(name)}`] : []),
  ];
}
