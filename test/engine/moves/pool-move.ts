import type { LocalServer } from '../../../src/embedded/server.js';
import type { Fleet } from '../../../src/engine/context.js';
import type { Home } from '../../../src/engine/local/placements.js';
import { livePool } from '../../../src/engine/moves/live-pool.js';
import type { Receiver } from '../../../src/engine/moves/receiver.js';
import { type Side, inSide, tableOf } from '../../../src/engine/rows/side.js';
import { PRESENT, type Stage, prepareStaged, stagesOf } from '../../../src/engine/moves/stages.js';
import { type TenantTable, readTables, storedColumns } from '../../../src/engine/rows/tables.js';
import { type TableSum, sumTables } from '../../../src/engine/rows/sums.js';
import type { Connection } from '../../../src/pg/connection.js';
import { ident, join, literal, raw, sql } from '../../../src/pg/sql.js';
import { newFleet } from '../../support/fleet.js';
import { withClient } from '../../support/server.js';
import { type Application, homeFor, migrationsOf, newApplication, opened } from '../tiers/support.js';
import { FEW_ROWS, ZOO } from './zoo.js';
import { type Change, sqlOf } from './zoo-changes.js';

const MOVE = 'move-1';

/** A pool with the zoo in it, two neighbours, and the moving tenant's old home in a schema beside it. */
export interface PoolMove {
  fleet: Fleet;
  target: Side;
  source: Side;
  still: Home;
  busy: Home;
  application: Application;
  /** One statement of a superuser's, in the pool's schema. */
  truth<Row extends object = Record<string, unknown>>(text: string): Promise<Row[]>;
  /** Runs `work` with a session of the mover's and what it needs in it. */
  moving<T>(work: (mover: Mover) => Promise<T>, move?: string): Promise<T>;
}

export interface Mover {
  session: Connection;
  stages: Stage[];
  receiver: Receiver;
  /** Statements at the source; `$t` is the tenant's key. Tells which happened: what a constraint refuses does not. */
  attempt(...texts: string[]): Promise<boolean[]>;
  change(...changes: Change[]): Promise<boolean[]>;
  /** Stages every key whose rows differ, and those that `also` names of the others; gives the stages that hold keys. */
  stage(also?: string): Promise<Stage[]>;
  /** Copies the tenant as the first copy does, and settles it. */
  copy(): Promise<void>;
  /** One cycle: stages, applies, empties the staging tables, in one transaction. */
  cycle(also?: string): Promise<void>;
  sums(side: Side): Promise<TableSum[]>;
}

/** @param zoo a pool's first migration, which the old home has as well */
export async function poolMove(server: LocalServer, zoo = ZOO, rows = FEW_ROWS): Promise<PoolMove> {
  const { fleet, settings } = await newFleet(server);
  const migrations = await migrationsOf(zoo);
  const open = (id: string): Promise<Home> => opened(fleet, homeFor(settings, 'pool', id), migrations);
  const [home, still, busy] = [await open('mover'), await open('still'), await open('busy')];
  const target: Side = { name: 'target', home, shared: true };
  const old: Home = { ...home, placement: { ...home.placement, tier: 'schema', schema: 'origin' } };
  const source: Side = { name: 'source', home: old, shared: false };
  const url = server.superuserUrl(home.placement.database);
  await fleet.managed('main', home.placement.database, async (session) => {
    session.retire();
    await session.message(
      `create schema origin; set search_path = origin; ${zoo}; ${ATTEMPT}; ${forTenant(rows, home)}`,
    );
    // Nobody lives yet in a home that is filled.
    await session.message(`update tenantctl.placement set state = 'making' where tenant = 'mover'`);
    await session.message(
      `set search_path = app; set tenantctl.scope = 'fleet'; ${[still, busy].map((one) => forTenant(rows, one)).join(';')}`,
    );
  });
  const given: PoolMove = {
    fleet,
    target,
    source,
    still,
    busy,
    application: await newApplication(settings),
    truth: (text) =>
      withClient(url, async (client) => {
        await client.query('set search_path = app');
        return (await client.query(text)).rows;
      }),
    moving: (work, move = MOVE) =>
      inSide(fleet, target, move, async (session) => work(await mover(session, given, move))),
  };
  return given;
}

/** A statement that a constraint refuses leaves nothing. */
const ATTEMPT = `create function origin.attempt(p_text text) returns boolean language plpgsql as $f$ begin
    set constraints all deferred; execute p_text; set constraints all immediate; return true;
  exception when integrity_constraint_violation then return false; end $f$`;

const forTenant = (text: string, home: Home): string =>
  text.replaceAll('$t', `${literal(home.tenant.key)}::uuid`);

async function mover(session: Connection, { source, target }: PoolMove, move: string): Promise<Mover> {
  const here = await readTables(session, source, 'tenant_id', true);
  const there = await readTables(session, target, 'tenant_id', true);
  const stages = stagesOf(here, there);
  await prepareStaged(session, target, stages);
  const receiver = livePool(target, stages, move);
  const own: Mover = {
    session,
    stages,
    receiver,
    attempt: async (...texts) => {
      const calls = texts.map(
        (text) => `select origin.attempt(${literal(forTenant(text, target.home))}) as happened`,
      );
      const results = await session.message(
        ['set search_path = origin', ...calls, 'set search_path = app, extensions'].join('; '),
      );
      return results.slice(1, -1).map(({ rows }) => rows[0]?.['happened'] === true);
    },
    change: (...changes) => own.attempt(...changes.map(sqlOf)),
    stage: async (also = 'false') => {
      // Whole tables are compared here, which is not what the session is set up for.
      await session.message('set enable_hashjoin = on');
      const results = await session.message(
        stages.map((stage) => staging(source, target, stage, also)).join('; '),
      );
      await session.message('set enable_hashjoin = off');
      return stages.filter((_, n) => (results[n]?.rowCount ?? 0) > 0);
    },
    copy: async () => {
      await receiver.empty(session);
      for (const stage of stages) {
        const values = join(
          stored(stage.target).map(({ name, type }) => sql`${ident(name)}::text::${raw(type)}`),
        );
        const into = receiver
          .copyInto(stage)
          .text()
          .replace(/ \(.*$/s, '');
        await session.message(
          `insert into ${into} select ${values.text()} from ${tableOf(source, stage.source.name).text()}`,
        );
      }
      await session.transaction(() => receiver.settle(session));
    },
    cycle: (also) =>
      session.transaction(async () => {
        const touched = await own.stage(also);
        await receiver.apply(session, touched);
        await session.message(emptying(stages));
      }),
    sums: (side) => sumTables(session, side, side === source ? here : there),
  };
  return own;
}

export function emptying(stages: readonly Stage[]): string {
  return stages.map(({ staged }) => `delete from ${staged.text()}`).join('; ');
}

const stored = ({ columns }: TenantTable) => columns.filter(({ generated }) => !generated);

/** Found by comparing both homes, so that only what is needed is staged: the merge gets no help from chance. */
function staging(
  source: Side,
  target: Side,
  { source: here, target: there, staged }: Stage,
  also: string,
): string {
  const values = join(stored(there).map(({ name, type }) => sql`${ident('s', name)}::text::${raw(type)}`));
  const texts = (alias: string) =>
    join(stored(there).map(({ name }) => sql`${ident(alias, name)}::text collate "C"`));
  const same = join(
    there.key.map((name) => sql`x.${ident(name)} = s.${ident(name)}`),
    ' and ',
  );
  const own = sql`x.tenant_id = ${target.home.tenant.key}`;
  const keys = join(
    stored(there).map(({ name }) => (there.key.includes(name) ? ident('x', name) : raw('null'))),
  );
  return sql`insert into ${staged} (${storedColumns(there)}, ${PRESENT})
    select ${values}, true from ${tableOf(source, here.name)} s left join ${tableOf(target, there.name)} x on ${same} and ${own}
     where x.${ident(there.key[0] as string)} is null or (${texts('s')}) is distinct from (${texts('x')}) or ${raw(also)}
    union all select ${keys}, false from ${tableOf(target, there.name)} x
     where ${own} and not exists (select from ${tableOf(source, here.name)} s where ${same})`.text();
}
