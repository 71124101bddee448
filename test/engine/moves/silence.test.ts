import { expect, test } from 'vitest';
import { literal } from '../../../src/pg/sql.js';
import { useServer } from '../../support/server.js';
import { type PoolMove, poolMove } from './pool-move.js';

const server = useServer();

interface TriggerRow {
  relation: string;
  name: string;
  definition: string;
  enabled: string;
}

/** The user's triggers with those of partitions, as the catalog has them. */
const triggers = (given: PoolMove): Promise<TriggerRow[]> =>
  given.truth<TriggerRow>(`
    select t.tgrelid::regclass::text as relation, t.tgname as name, pg_get_triggerdef(t.oid) as definition, t.tgenabled::text as enabled
      from pg_trigger t join pg_class c on c.oid = t.tgrelid where c.relnamespace = 'app'::regnamespace and not t.tgisinternal order by 1, 2`);

const setAside = (given: PoolMove) =>
  given.truth('select move, relation, name, definition from tenantctl.set_aside order by 1, 2, 3');

const makeReady = (given: PoolMove, move?: string) =>
  given.moving(({ receiver, session }) => receiver.makeReady(session), move);
const conclude = (given: PoolMove, move?: string) =>
  given.moving(({ receiver, session }) => receiver.conclude(session), move);

test('every trigger of the moved tables is silent for the mover, partitions and constraint triggers too', async () => {
  const given = await poolMove(server.current);
  const before = await triggers(given);
  await makeReady(given);
  const silent = await triggers(given);
  expect(silent.map(({ relation, name, enabled }) => ({ relation, name, enabled }))).toEqual(
    before.map(({ relation, name, enabled }) => ({ relation, name, enabled })),
  );
  expect(silent.every(({ definition }) => definition.includes('tenantctl.moving'))).toBe(true);
  expect(await setAside(given)).toHaveLength(before.length - 2);
  await makeReady(given);
  expect(await triggers(given)).toEqual(silent);
});

test('what was there before comes back to the letter, and nothing is left', async () => {
  const given = await poolMove(server.current);
  const before = await triggers(given);
  expect(before.map(({ enabled }) => enabled)).toContain('A');
  await makeReady(given);
  await conclude(given);
  expect(await triggers(given)).toEqual(before);
  expect(await setAside(given)).toEqual([]);
  await conclude(given);
  expect(await triggers(given)).toEqual(before);
});

test('the application and migrations of the administrator meet the triggers as ever', async () => {
  const given = await poolMove(server.current);
  await makeReady(given);
  const key = literal(given.busy.tenant.key);
  const audited = () =>
    given.truth(
      `select op from audit where tenant_id = ${key} and op like '%UPDATE' order by id desc limit 2`,
    );
  await given.application.asTenant(given.busy, (client) =>
    client.query(`update purchase set amount = 500 where id = 1`),
  );
  expect(await audited()).toEqual(
    expect.arrayContaining([
      { op: 'dear UPDATE' },
      { op: ` FOR EACH ROW WHEN (it's) EXECUTE FUNCTION UPDATE` },
    ]),
  );
  await given.truth(`delete from audit`);
  await given.application.asTenant(given.busy, async (client) => {
    await client.query(`set tenantctl.moving = 'move-1'`);
    await client.query(`update purchase set amount = 501 where id = 1`);
  });
  await given.fleet.managed('main', given.busy.placement.database, async (session) => {
    session.retire();
    await session.message(
      `set tenantctl.scope = 'fleet'; update app.purchase set amount = 502 where id = 1 and tenant_id = ${key}`,
    );
  });
  expect(await given.truth(`select op from audit where op = 'dear UPDATE'`)).toHaveLength(2);
});

test('two moves into one pool: triggers stay silent until the second is through', async () => {
  const given = await poolMove(server.current);
  const before = await triggers(given);
  await makeReady(given, 'one');
  await makeReady(given, 'two');
  const silent = await triggers(given);
  await conclude(given, 'one');
  expect(await triggers(given)).toEqual(silent);
  await conclude(given, 'two');
  expect(await triggers(given)).toEqual(before);
  expect(await setAside(given)).toEqual([]);
});

test('a trigger that was replaced or dropped meanwhile is not brought back', async () => {
  const given = await poolMove(server.current);
  await makeReady(given);
  await given.truth(
    `drop trigger dear on purchase; create or replace trigger touch before insert on customer for each row execute function touch()`,
  );
  await conclude(given);
  const after = await triggers(given);
  expect(after.find(({ name }) => name === 'dear')).toBeUndefined();
  expect(after.find(({ name }) => name === 'touch')?.definition).toContain(
    'BEFORE INSERT ON app.customer FOR EACH ROW EXECUTE',
  );
  expect(await setAside(given)).toEqual([]);
});

test('a trigger that is disabled stays so, and one of ours is left alone', async () => {
  const given = await poolMove(server.current);
  await given.truth(`alter table purchase disable trigger dear;
    create trigger tenantctl_mine after insert on team for each row execute function write_down('ours ')`);
  const before = await triggers(given);
  await makeReady(given);
  const named = (name: string, rows: TriggerRow[]) => rows.find((row) => row.name === name);
  for (const name of ['dear', 'tenantctl_mine'])
    expect(named(name, await triggers(given))).toEqual(named(name, before));
});
