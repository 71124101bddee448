import type { Connection } from '../../pg/connection.js';
import { sqlstateOf } from '../../pg/errors.js';
import { type Sql, ident, join, raw, script, sql } from '../../pg/sql.js';
import type { Receiver } from './receiver.js';
import { type Side, tableOf } from '../rows/side.js';
import { PRESENT, type Stage } from './stages.js';
import { sameKey, storedColumns } from '../rows/tables.js';
import { whileShut } from './while-shut.js';

interface ForeignKey {
  relation: string;
  name: string;
  definition: string;
}

interface UserTrigger {
  relation: string;
  name: string;
  /** O, A or R: whether it fires always, or on replicas only. */
  enabled: string;
}

/**
 * A home of the tenant's own, which nobody uses while it is filled. Foreign keys and triggers stand aside: rows come
 * in any order and as they are. Each cycle removes the staged keys and writes the rows that they have now; the home is
 * then what the other one was at one moment, foreign keys and all.
 */
export function ownHome(side: Side, stages: readonly Stage[], move: string): Receiver {
  const aside = { move, side: side.name };
  return {
    order: null,

    async makeReady(session) {
      // One message is one transaction, or a part of the caller's.
      const statements = [
        ...(await foreignKeysAside(session, side, aside)),
        ...(await triggersAside(session, side, aside)),
      ];
      if (statements.length > 0) await session.message(script(statements));
    },

    async empty(session, open = stages) {
      if (open.length === 0) return;
      const tables = open.map(({ target }) => tableOf(side, target.name));
      await whileShut(session, side, sql`truncate ${join(tables)}`);
    },

    rehearse: () => Promise.resolve(),

    copyInto: ({ target }) => sql`${tableOf(side, target.name)} (${storedColumns(target)})`,

    take: () => Promise.resolve(),
    settle: () => Promise.resolve(),

    async gatherStatistics(session) {
      for (const { target } of stages) await session.execute(sql`analyze ${tableOf(side, target.name)}`);
    },

    async apply(session, touched) {
      const statements = [
        ...touched.map((stage) => removal(side, stage)),
        ...touched.map((stage) => insertion(side, stage)),
      ];
      if (statements.length > 0) await session.message(script(statements));
    },

    async putBack(session) {
      const statements = [
        ...(await foreignKeysBack(session, side, aside)),
        ...(await triggersBack(session, side, aside)),
      ];
      if (statements.length > 0) await session.message(script(statements));
    },

    async conclude(session) {
      const keys = await readAside(session, side, aside, 'foreign key');
      const unproved: string[] = [];
      // Every row is proved: a lookup for each, which is how a move finds a few, would take longer than to read all once.
      await session.execute(raw('set enable_hashjoin = on'));
      for (const { relation, name, definition } of keys) {
        if (/NOT (VALID|ENFORCED)$/.test(definition)) continue;
        if (!(await holds(session, tableOf(side, relation), name))) unproved.push(`${relation}.${name}`);
      }
      await session.execute(
        sql`delete from tenantctl.set_aside where move = ${move} and side = ${side.name}`,
      );
      return unproved;
    },
  };
}

/** A row may refer to nothing in the old home already: row-level security hides that from a key which is added. */
async function holds(session: Connection, table: Sql, name: string): Promise<boolean> {
  try {
    await session.execute(sql`alter table ${table} validate constraint ${ident(name)}`);
    return true;
  } catch (error) {
    if (sqlstateOf(error) === '23503') return false;
    throw error;
  }
}

function removal(side: Side, { target, staged }: Stage): Sql {
  return sql`delete from ${tableOf(side, target.name)} x using ${staged} s where ${sameKey(target, 'x', 's')}`;
}

function insertion(side: Side, { target, staged }: Stage): Sql {
  const columns = storedColumns(target);
  return sql`insert into ${tableOf(side, target.name)} (${columns}) overriding system value
    select ${columns} from ${staged} where ${PRESENT}`;
}

interface Aside {
  move: string;
  side: string;
}

/** Also those between tables that are not moved: they are as quickly put back. */
async function foreignKeysAside(session: Connection, side: Side, aside: Aside): Promise<Sql[]> {
  const keys = await session.rows<ForeignKey>(sql`
    select c.relname as relation, k.conname as name, pg_get_constraintdef(k.oid) as definition
      from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = ${side.home.placement.schema} and k.contype = 'f' and k.conparentid = 0 order by 1, 2`);
  return keys.flatMap(({ relation, name, definition }) => [
    sql`insert into tenantctl.set_aside values (${aside.move}, ${aside.side}, ${relation}, 'foreign key', ${name}, ${definition}) on conflict do nothing`,
    sql`alter table ${tableOf(side, relation)} drop constraint ${ident(name)}`,
  ]);
}

async function triggersAside(session: Connection, side: Side, aside: Aside): Promise<Sql[]> {
  const triggers = await session.rows<UserTrigger>(sql`
    select c.relname as relation, t.tgname as name, t.tgenabled::text as enabled
      from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = ${side.home.placement.schema} and not t.tgisinternal and t.tgparentid = 0
       and t.tgenabled <> 'D' and t.tgname not like 'tenantctl\\_%' and c.relkind in ('r', 'p') order by 1, 2`);
  return triggers.flatMap(({ relation, name, enabled }) => [
    sql`insert into tenantctl.set_aside values (${aside.move}, ${aside.side}, ${relation}, 'trigger', ${name}, ${enabled}) on conflict do nothing`,
    sql`alter table ${tableOf(side, relation)} disable trigger ${ident(name)}`,
  ]);
}

interface AsideRow extends ForeignKey {
  partitioned: boolean;
}

/** What was set aside stays written down until the move is through: a cut-over that failed sets it aside again. */
async function readAside(
  session: Connection,
  side: Side,
  { move }: Aside,
  kind: string,
): Promise<AsideRow[]> {
  return session.rows<AsideRow>(sql`
    select a.relation, a.name, a.definition, c.relkind = 'p' as partitioned from tenantctl.set_aside a
      join pg_class c on c.relname = a.relation join pg_namespace n on n.oid = c.relnamespace and n.nspname = ${side.home.placement.schema}
     where a.move = ${move} and a.side = ${side.name} and a.kind = ${kind} order by 1, 2`);
}

/** NOT VALID: the rows are those of the other home, where the same key holds. They are read when nobody waits. */
async function foreignKeysBack(session: Connection, side: Side, aside: Aside): Promise<Sql[]> {
  const keys = await readAside(session, side, aside, 'foreign key');
  return keys.map(({ relation, name, definition, partitioned }) => {
    // Before 18 a partitioned table takes none that is not validated at once.
    const later = partitioned && session.version < 180_000 ? '' : ' not valid';
    const clause = /NOT (VALID|ENFORCED)$/.test(definition) ? definition : definition + later;
    return sql`alter table ${tableOf(side, relation)} add constraint ${ident(name)} ${raw(clause)}`;
  });
}

const FIRES: Record<string, string> = { O: 'enable', A: 'enable always', R: 'enable replica' };

async function triggersBack(session: Connection, side: Side, aside: Aside): Promise<Sql[]> {
  const triggers = await readAside(session, side, aside, 'trigger');
  return triggers.map(
    ({ relation, name, definition }) =>
      sql`alter table ${tableOf(side, relation)} ${raw(FIRES[definition] ?? 'enable')} trigger ${ident(name)}`,
  );
}
