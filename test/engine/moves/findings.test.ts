import { expect, test } from 'vitest';
import { type PoolFinding, poolFindings } from '../../../src/engine/moves/merge/findings.js';
import { readTables } from '../../../src/engine/rows/tables.js';
import { useServer } from '../../support/server.js';
import { type PoolMove, poolMove } from './pool-move.js';
import { ZOO } from './zoo.js';

const server = useServer();

async function findings(given: PoolMove): Promise<PoolFinding[]> {
  return given.moving(async ({ session }) => {
    const tables = await readTables(session, given.target, 'tenant_id', true);
    // Names are written in full, as whoever follows the hint may have another search path.
    await session.message('set search_path = pg_catalog');
    return poolFindings(session, given.target, tables);
  });
}

const KEY = 'tenant_id uuid not null, id bigint, primary key (tenant_id, id)';
const NONE = 'create table plain (tenant_id uuid not null, id bigint, primary key (tenant_id, id))';

test('a pool of one of each thing that the merge can do has nothing against a move', async () => {
  expect(await findings(await poolMove(server.current, ZOO, 'select 1'))).toEqual([]);
});

interface Case {
  rule: string;
  level: 'error' | 'warning';
  where: string;
  /** What is wrong, in the migration or done to the pool by a superuser later. */
  migration?: string;
  later?: string;
  hint?: string;
}

const CASES: Case[] = [
  {
    rule: 'rewrite-rule',
    level: 'error',
    where: 'app.thing',
    migration: `create table thing (${KEY}); create rule quiet as on delete to thing do instead nothing`,
    hint: 'drop rule quiet on app.thing;',
  },
  {
    rule: 'exclusion',
    level: 'error',
    where: 'app.thing',
    migration: `create table thing (span int4range, ${KEY}, exclude using gist (span with &&))`,
    hint: 'alter table app.thing drop constraint thing_span_excl; -- as long as it is there, no method moves a tenant into this pool or out of it',
  },
  {
    rule: 'outside-child',
    level: 'error',
    where: 'app.loose',
    migration: `create table thing (${KEY}); create table loose (t uuid, i bigint, foreign key (t, i) references thing)`,
    hint: 'alter table app.loose drop constraint loose_t_i_fkey; -- or give the table the tenant column',
  },
  {
    rule: 'unindexed-child',
    level: 'warning',
    where: 'app.child',
    migration: `create table thing (${KEY}); create table child (thing_id bigint, ${KEY}, foreign key (tenant_id, thing_id) references thing)`,
    hint: 'create index concurrently on app.child (tenant_id, thing_id);',
  },
  {
    rule: 'no-fleet-policy',
    level: 'error',
    where: 'app.plain',
    later: 'drop policy tenantctl_fleet on plain',
  },
  {
    rule: 'restrictive-policy',
    level: 'error',
    where: 'app.plain',
    later: 'create policy few on plain as restrictive using (id < 10) with check (id < 9)',
  },
  {
    rule: 'event-trigger',
    level: 'warning',
    where: 'watch',
    later: `create function app.watch() returns event_trigger language plpgsql as $$ begin end $$; create event trigger watch on ddl_command_end execute function app.watch()`,
    hint: 'alter event trigger watch disable; -- until the move is over',
  },
  {
    rule: 'mixed-trigger',
    level: 'error',
    where: 'app.part_1',
    migration: `create table thing (${KEY}) partition by hash (tenant_id); create table part_0 partition of thing for values with (modulus 2, remainder 0);
      create table part_1 partition of thing for values with (modulus 2, remainder 1);
      create function pass() returns trigger language plpgsql as $f$ begin return null; end $f$;
      create trigger pass after insert on thing for each row execute function pass(); alter table part_1 disable trigger pass`,
    hint: 'alter table app.part_1 enable trigger pass;',
  },
  {
    rule: 'inheritance',
    level: 'error',
    where: 'app.heir',
    migration: `create table thing (${KEY}); create table heir (primary key (tenant_id, id)) inherits (thing)`,
    hint: 'alter table app.heir no inherit app.thing;',
  },
  {
    rule: 'slow-key',
    level: 'warning',
    where: 'app.thing',
    migration: `create table thing (tenant_id uuid not null, id numeric, primary key (tenant_id, id))`,
    hint: 'alter function numeric_eq(numeric,numeric) leakproof; -- as a superuser',
  },
];

test.each(CASES)(
  '$rule is found, and gone when the hint was followed',
  async ({ migration, later, hint, ...found }) => {
    const given = await poolMove(server.current, migration ?? NONE, 'select 1');
    if (later !== undefined) await given.truth(later);
    const [finding, ...others] = await findings(given);
    expect({ found: finding, others }).toMatchObject({ found, others: [] });
    if (hint !== undefined) expect(finding?.hint).toBe(hint);
    await given.truth(finding?.hint ?? '');
    expect(await findings(given)).toEqual([]);
  },
);

test('not-counted is found', async () => {
  const given = await poolMove(server.current, NONE, 'select 1');
  await given.truth(`alter database ${given.target.home.placement.database} set track_counts = off`);
  await given.fleet.connections('main').close();
  expect(await findings(given)).toMatchObject([{ rule: 'not-counted', level: 'error' }]);
});

test('an index that begins with the tenant, or leaves out NULL, serves a foreign key', async () => {
  const given = await poolMove(
    server.current,
    `create table thing (${KEY}, unique (id)); create table child (thing_id bigint references thing (id), other bigint references thing (id), ${KEY});
     create index on child (tenant_id, thing_id) where thing_id is not null; create index on child (other, id)`,
    'select 1',
  );
  expect(await findings(given)).toEqual([]);
});
