import { beforeAll, expect, test, vi } from 'vitest';
import { openMoveOf } from '../../../src/engine/catalog/moves.js';
import { finishMove, goBack, goOn, takeBack } from '../../../src/operations/moves/conduct.js';
import { activateTenant } from '../../../src/operations/activate.js';
import { setTenant } from '../../../src/operations/set.js';
import { suspendTenant } from '../../../src/operations/suspend.js';
import { query, useServer, withClient } from '../../support/server.js';
import { type MovingFleet, movingFleet } from './fleet.js';
import { leftovers } from './leftovers.js';
import { withReach } from './reach.js';
import { sql } from '../../../src/pg/sql.js';

const server = useServer();
let fleet: MovingFleet;

beforeAll(async () => {
  fleet = await movingFleet(server.current);
});

const superuser = (database: string): string => server.current.superuserUrl(database);
const moveOf = async (id: string) => {
  const move = await fleet.fleet.catalog((connection) => openMoveOf(connection, id));
  if (move === undefined) throw new Error(`tenant ${id} is not being moved`);
  return move;
};
/** Until the mover has asked for the fence and waits for a writer. */
const waitForFence = (database: string) =>
  vi.waitFor(
    async () => {
      const waiting = await query(
        superuser(database),
        `select from pg_locks where locktype = 'advisory' and classid = 1952804456 and not granted`,
      );
      expect(waiting).toHaveLength(1);
    },
    { timeout: 20_000, interval: 10 },
  );
const dies = () => {
  throw new Error('the process is gone');
};

test('an abort that died half-way is not taken for a move that can go on', async () => {
  await fleet.tenant('halfway', 'schema', 20);
  const first = await withReach(fleet, 'move.verified', dies, (process) =>
    fleet.promote({ id: 'halfway', to: 'pool', method: 'online' }, process),
  );
  expect(String(first.error)).toContain('the process is gone');
  const second = await withReach(fleet, 'abort.source-freed', dies, async (process) =>
    takeBack(process, await moveOf('halfway')),
  );
  expect(String(second.error)).toContain('the process is gone');
  const resumed = await goOn(fleet.fleet, await moveOf('halfway')).catch((error: unknown) => error);
  expect(resumed).toMatchObject({ code: 'GUARDS_MISSING', exit: 5 });
  await takeBack(fleet.fleet, await moveOf('halfway'));
  expect(await fleet.show('halfway')).toMatchObject({ status: 'active', tier: 'schema', epoch: 1 });
});

test('a home whose forced row-level security hides its rows from the administrator is not moved as empty', async () => {
  const { database, schema } = await fleet.tenant('blind', 'schema', 20);
  await query(
    superuser(database),
    `alter table "${schema}".journal enable row level security; alter table "${schema}".journal force row level security;
     create policy mine on "${schema}".journal using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
     insert into "${schema}".journal (tenant_id, token) select tenant_id, gen_random_uuid() from "${schema}".customer`,
  );
  const refused = await fleet.promote({ id: 'blind', to: 'pool' }).catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: 'PREFLIGHT_FAILED', exit: 6 });
  expect((refused as Error).message).toContain('journal');
});

test('a database whose transactions are serializable by default loses nothing of a writer that was inside at the fence', async () => {
  const { database, schema, key } = await fleet.tenant('isolated', 'schema', 20);
  await query(
    superuser('postgres'),
    `alter database ${database} set default_transaction_isolation = 'serializable'`,
  );
  try {
    const token = '00000000-0000-4000-8000-000000000001';
    await withReach(fleet, 'move.verified', dies, (process) =>
      fleet.promote({ id: 'isolated', to: 'database', method: 'online' }, process),
    );
    await withClient(superuser(database), async (client) => {
      await client.query(`begin isolation level read committed`);
      await client.query(`insert into "${schema}".journal (tenant_id, token) values ('${key}', '${token}')`);
      const move = await moveOf('isolated');
      // Sessions that are opened now have the database's default.
      const moved = withReach(
        fleet,
        'move.left',
        () => undefined,
        (process) => goOn(process, move, { maxPauseMs: 5_000 }),
      );
      await waitForFence(database);
      await client.query('commit');
      expect(await moved).toMatchObject({ value: { state: 'grace' } });
    });
    const home = await fleet.show('isolated');
    const rows = await query(
      superuser(home.database),
      `select from "${home.schema}".journal where token = '${token}'`,
    );
    expect(rows).toHaveLength(1);
  } finally {
    await query(superuser('postgres'), `alter database ${database} reset default_transaction_isolation`);
  }
});

test('an application cannot put the gate or the marks of a move on a table of its own', async () => {
  const { database } = await fleet.tenant('forged', 'pool', 20);
  let tried: Promise<string[]> | undefined;
  const forge = async (): Promise<string[]> => {
    const functions = await query<{ name: string }>(
      superuser(database),
      `select format('%I.%I', n.nspname, p.proname) as name from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        where n.nspname = 'tenantctl' and p.prosecdef and p.prorettype = 'trigger'::regtype`,
    );
    return withClient(fleet.application.url(database), async (client) => {
      await client.query(`create temp table mine (tenant_id text, id text, token text, at text)`);
      const refused: string[] = [];
      for (const { name } of functions)
        await client
          .query(
            `create trigger t after insert on mine for each row execute function ${name}('a', 'b', 'c', 'd')`,
          )
          .then(
            () => refused.push(name),
            () => undefined,
          );
      return functions.length < 2 ? ['nothing was tried'] : refused;
    });
  };
  await withReach(
    fleet,
    'move.guarded',
    () => (tried ??= forge()),
    (process) => fleet.promote({ id: 'forged', to: 'schema', method: 'online' }, process),
  );
  expect(await tried).toEqual([]);
});

test('a row that gets its tenant from a trigger of the user’s waits at the gate like others', async () => {
  const { database, schema, key } = await fleet.tenant('filled', 'pool', 20);
  await query(
    superuser(database),
    `create function "${schema}".fill_tenant() returns trigger language plpgsql as $$ begin new.tenant_id := coalesce(new.tenant_id, current_setting('app.tenant_id')::uuid); return new; end $$;
     create trigger trg_fill_tenant before insert on "${schema}".journal for each row execute function "${schema}".fill_tenant()`,
  );
  const stopped = await withReach(fleet, 'move.verified', dies, (process) =>
    fleet.promote({ id: 'filled', to: 'schema', method: 'online' }, process),
  );
  expect(String(stopped.error)).toContain('the process is gone');
  await withClient(superuser(database), async (mover) => {
    await mover.query(`begin; select pg_advisory_xact_lock(1952804456, hashtext('filled'))`);
    const written = query(
      superuser(database),
      `begin; set local lock_timeout = 200; select set_config('app.tenant_id', '${key}', true);
       insert into "${schema}".journal (tenant_id, token) values (null, gen_random_uuid()); commit`,
    ).then(
      () => 'passed',
      (error: { code: string }) => error.code,
    );
    expect(await written).toBe('55P03');
    await mover.query('rollback');
  });
  await goOn(fleet.fleet, await moveOf('filled'));
  await query(superuser(database), `drop function "${schema}".fill_tenant() cascade`);
});

test('a partition cannot be truncated behind the back of a move', async () => {
  const { database, schema } = await fleet.tenant('leaf', 'schema', 20);
  await withReach(fleet, 'move.verified', dies, (process) =>
    fleet.promote({ id: 'leaf', to: 'database', method: 'online' }, process),
  );
  const truncated = await query(superuser(database), `truncate "${schema}".event_old`).catch(
    (error: { code: string }) => error.code,
  );
  expect(truncated).toBe('TC013');
  await takeBack(fleet.fleet, await moveOf('leaf'));
  expect(await leftovers(server.current, fleet, 'leaf')).toEqual([]);
});

test('a table that was copied without anybody having heard of it is copied again', async () => {
  await fleet.tenant('unheard', 'schema', 20);
  let tables = 0;
  await withReach(
    fleet,
    'move.table-copied',
    () => {
      tables += 1;
      if (tables === 4) dies();
    },
    (process) => fleet.promote({ id: 'unheard', to: 'database', method: 'online' }, process),
  );
  const { move } = await moveOf('unheard');
  await fleet.fleet.catalog((connection) =>
    connection.execute(sql`delete from tenantctl_catalog.move_tables where move = ${move} and relation <>
      (select min(relation) from tenantctl_catalog.move_tables where move = ${move})`),
  );
  expect(await goOn(fleet.fleet, await moveOf('unheard'))).toMatchObject({ state: 'grace', verified: true });
});

test('the rows of a home that is open are not deleted because a catalog of yesterday says it is to be filled', async () => {
  const before = await fleet.tenant('yesterday', 'pool', 20);
  const report = await fleet.promote({ id: 'yesterday', to: 'schema' });
  const after = await fleet.show('yesterday');
  const had = await fleet.rows(after);
  const catalog = await fleet.fleet.catalog((connection) => Promise.resolve(connection.database));
  await query(
    superuser(catalog),
    `set session_replication_role = replica;
     delete from tenantctl_catalog.move_tables where move = '${report.move}'; delete from tenantctl_catalog.moves where id = '${report.move}';
     delete from tenantctl_catalog.placements where tenant = 'yesterday' and epoch = 2;
     update tenantctl_catalog.placements set until = null where tenant = 'yesterday' and epoch = 1`,
  );
  expect(await fleet.show('yesterday')).toMatchObject({ epoch: 1, schema: before.schema });
  const again = await fleet.promote({ id: 'yesterday', to: 'schema' }).catch((error: unknown) => error);
  expect(await fleet.rows(after)).toEqual(had);
  expect(again).toMatchObject({ code: 'PREFLIGHT_FAILED', exit: 6 });
});

test('an old copy that has begun to go is no way back', async () => {
  await fleet.tenant('going', 'pool', 20);
  await fleet.promote({ id: 'going', to: 'schema' });
  const stopped = await withReach(fleet, 'move.old-emptied', dies, async (process) =>
    finishMove(process, await moveOf('going')),
  );
  expect(String(stopped.error)).toContain('the process is gone');
  const undone = await goBack(fleet.fleet, await moveOf('going')).catch((error: unknown) => error);
  expect(undone).toMatchObject({ code: 'MOVE_BEING_COMPLETED', exit: 5 });
  expect(await finishMove(fleet.fleet, await moveOf('going'))).toMatchObject({ state: 'completed' });
  expect(await leftovers(server.current, fleet, 'going')).toEqual([]);
});

test('a reference that never held does not keep a tenant between two homes', async () => {
  const { database, schema, key } = await fleet.tenant('orphan', 'schema', 20);
  await query(
    superuser(database),
    `set session_replication_role = replica; insert into "${schema}".orders (tenant_id, customer_id) values ('${key}', 999999)`,
  );
  const report = await fleet.promote({ id: 'orphan', to: 'database', method: 'online' });
  expect(report).toMatchObject({ state: 'grace' });
});

test('a tenant that was suspended in its grace period is not brought back before it is active again', async () => {
  await fleet.tenant('asleep', 'schema', 20);
  await fleet.promote({ id: 'asleep', to: 'pool' });
  await suspendTenant(fleet.fleet, 'asleep', { dryRun: false });
  const refused = await goBack(fleet.fleet, await moveOf('asleep')).catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: 'TENANT_STATUS', exit: 5 });
  expect(await moveOf('asleep')).toMatchObject({ state: 'grace', undo: null });
  await activateTenant(fleet.fleet, 'asleep', { dryRun: false });
  await goBack(fleet.fleet, await moveOf('asleep'));
  expect(await leftovers(server.current, fleet, 'asleep')).toEqual([]);
});

test('labels that were changed in the grace period are known to the home that the tenant returns to', async () => {
  await fleet.tenant('labelled', 'schema', 20);
  await fleet.promote({ id: 'labelled', to: 'database' });
  await setTenant(fleet.fleet, 'labelled', { labels: { colour: 'red' } }, { dryRun: false });
  await goBack(fleet.fleet, await moveOf('labelled'));
  const { database, schema } = await fleet.show('labelled');
  expect(
    await query(
      superuser(database),
      `select labels from tenantctl.placement where tenant = 'labelled' and schema = '${schema}'`,
    ),
  ).toEqual([{ labels: { colour: 'red' } }]);
});
