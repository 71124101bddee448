import { beforeAll, expect, test } from 'vitest';
import pg from 'pg';
import { openMoveOf } from '../../../src/engine/catalog/moves.js';
import { inFence } from '../../../src/engine/moves/fence.js';
import { goOn, takeBack } from '../../../src/operations/moves/conduct.js';
import type { Tenant } from '../../../src/core/tenant.js';
import { query, useServer, withClient } from '../../support/server.js';
import { type MovingFleet, movingFleet } from './fleet.js';
import { leftovers } from './leftovers.js';
import { withReach } from './reach.js';

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

/** Where the tenant would live after a move into a schema. */
const schemaOf = (id: string): string => fleet.settings.tenancy.names.schema.replace('{id}', id);

test('a column that is added by hand during a move stops it before it decides, and the move can be taken back', async () => {
  const { database, schema } = await fleet.tenant('ddl', 'schema', 20);
  const alter = (): Promise<unknown> =>
    query(superuser(database), `alter table "${schema}".note add column by_hand text default 'x'`);
  let altered: Promise<unknown> | undefined;
  const { error } = await withReach(
    fleet,
    'move.verified',
    () => (altered ??= alter()),
    async (process) => {
      const report = fleet.promote({ id: 'ddl', to: 'database', method: 'online' }, process);
      return report;
    },
  );
  await altered;
  expect(error).toMatchObject({ code: 'TABLES_CHANGED', exit: 5 });
  await takeBack(fleet.fleet, await moveOf('ddl'));
  expect(await fleet.show('ddl')).toMatchObject({ status: 'active', tier: 'schema', epoch: 1 });
  expect(await leftovers(server.current, fleet, 'ddl')).toEqual([]);
});

test('TRUNCATE of a table of a moving tenant is refused, whoever sends it', async () => {
  const { database, schema } = await fleet.tenant('truncate', 'schema', 20);
  const refused: string[] = [];
  let tried: Promise<unknown> | undefined;
  const truncate = (): Promise<unknown> =>
    query(superuser(database), `truncate "${schema}".journal`).catch((error: { code: string }) =>
      refused.push(error.code),
    );
  await withReach(
    fleet,
    'move.guarded',
    () => (tried ??= truncate()),
    async (process) => {
      await fleet.promote({ id: 'truncate', to: 'database', method: 'online' }, process);
    },
  );
  await tried;
  expect(refused).toEqual(['TC013']);
});

test('a row that somebody writes at the new home during the copy is found before the tenant goes over', async () => {
  const { key } = await fleet.tenant('rogue', 'pool', 20);
  let written: Promise<unknown> | undefined;
  const write = (): Promise<unknown> =>
    query(
      superuser(fleet.settings.clusters['main']?.schemaDatabase ?? ''),
      `insert into "${schemaOf('rogue')}".journal (tenant_id, token) values ('${key}', gen_random_uuid())`,
    );
  const { error } = await withReach(
    fleet,
    'move.target-held',
    () => (written ??= write()),
    (process) => fleet.promote({ id: 'rogue', to: 'schema', method: 'online' }, process),
  );
  await written;
  // The copy begins by emptying the new home, so this one is gone; the next is not.
  expect(error).toBeUndefined();
  const { key: other } = await fleet.tenant('rogue2', 'pool', 20);
  let late: Promise<string> | undefined;
  const writeLate = (): Promise<string> =>
    query(
      superuser(fleet.settings.clusters['main']?.schemaDatabase ?? ''),
      `insert into "${schemaOf('rogue2')}".journal (tenant_id, token) values ('${other}', gen_random_uuid())`,
    ).then(
      () => 'written',
      (error: { code: string }) => error.code,
    );
  const found = await withReach(
    fleet,
    'move.copied',
    () => (late ??= writeLate()),
    (process) => fleet.promote({ id: 'rogue2', to: 'schema', method: 'online' }, process),
  );
  const outcome = await (late as Promise<string> | undefined);
  // Either the write came before the gate of the new home and is found, or the gate refuses it.
  if (outcome === 'written') expect(found.error).toMatchObject({ code: 'MOVE_DIFFERS', exit: 8 });
  else expect(outcome).toBe('TC002');
});

test('writes at the new home are refused until the tenant is there', async () => {
  const { key } = await fleet.tenant('early', 'pool', 20);
  const codes: string[] = [];
  let tried: Promise<unknown> | undefined;
  const write = (): Promise<unknown> =>
    query(
      superuser(fleet.settings.clusters['main']?.schemaDatabase ?? ''),
      `set session_replication_role = replica; insert into "${schemaOf('early')}".journal (tenant_id, token) values ('${key}', gen_random_uuid())`,
    ).catch((error: { code: string }) => codes.push(error.code));
  await withReach(
    fleet,
    'move.verified',
    () => (tried ??= write()),
    (process) => fleet.promote({ id: 'early', to: 'schema', method: 'online' }, process),
  );
  await tried;
  expect(codes).toEqual(['TC002']);
});

test('a transaction that sits on its writes is waited for; what it commits arrives', async () => {
  const tenant = await fleet.tenant('sits', 'pool', 20);
  const client = await asTenant(tenant);
  const write = async (): Promise<void> => {
    await client.query('begin');
    await context(client, tenant);
    await client.query(`insert into journal (token) values ('11111111-1111-4111-8111-111111111111')`);
  };
  let written: Promise<void> | undefined;
  let committed: Promise<unknown> | undefined;
  const before = fleet.events.length;
  const tried = (): boolean =>
    fleet.events
      .slice(before)
      .some((event) => event.type === 'move.step' && event.text.includes('tried again'));
  const watch = setInterval(() => {
    if (tried()) committed ??= client.query('commit');
  }, 20);
  const { value } = await withReach(
    fleet,
    'move.copied',
    () => (written ??= write()),
    (process) => fleet.promote({ id: 'sits', to: 'schema', method: 'online' }, process),
  );
  clearInterval(watch);
  await client.end();
  expect(value?.state).toBe('grace');
  const after = await fleet.show('sits');
  const rows = await query(
    superuser(after.database),
    `select from "${after.schema}".journal where token = '11111111-1111-4111-8111-111111111111'`,
  );
  expect(rows).toHaveLength(1);
});

test('a neighbour that sits on its writes is named when no gate can be put on the tables, and nothing is left', async () => {
  const neighbour = await fleet.tenant('sitter', 'pool', 5);
  await fleet.tenant('kept', 'pool', 5);
  const client = await asTenant(neighbour);
  await client.query(`set application_name = 'reporting'`);
  await client.query('begin');
  await context(client, neighbour);
  await client.query(`insert into journal (token) values (gen_random_uuid())`);
  const refusal = await fleet
    .promote({ id: 'kept', to: 'schema', method: 'online' })
    .catch((error: unknown) => error);
  await client.query('rollback');
  await client.end();
  expect(refusal).toMatchObject({ code: 'TABLE_LOCKED', exit: 5 });
  expect((refusal as Error).message).toContain('`reporting`');
  expect(await fleet.show('kept')).toMatchObject({ status: 'active', tier: 'pool', epoch: 1 });
  expect(await leftovers(server.current, fleet, 'kept')).toEqual([]);
}, 60_000);

test.each(['read committed', 'repeatable read', 'serializable'])(
  'a %s transaction that began before the cut-over cannot write behind it',
  async (level) => {
    const id = `level-${level.replace(' ', '-')}`;
    const tenant = await fleet.tenant(id, 'pool', 20);
    const client = await asTenant(tenant);
    await client.query(`begin isolation level ${level}`);
    await context(client, tenant);
    await client.query('select count(*) from journal');
    await fleet.promote({ id, to: 'schema', method: 'online' });
    const outcome = await client.query(`insert into journal (token) values (gen_random_uuid())`).then(
      () => 'written',
      (error: pg.DatabaseError) => error.code,
    );
    await client.end();
    expect(outcome).toBe(level === 'read committed' ? 'TC001' : '40001');
  },
);

test('a mover that hangs in the fence is ended by the server, and writers go on', async () => {
  const tenant = await fleet.tenant('hangs', 'pool', 20);
  await withReach(
    fleet,
    'move.prepared',
    () => {
      throw new Error('far enough');
    },
    (process) => fleet.promote({ id: 'hangs', to: 'schema', method: 'online' }, process),
  );
  await fleet.fleet.managed(tenant.cluster, tenant.database, async (session) => {
    session.retire();
    const hung = inFence(session, 'hangs', { maxPauseMs: 250 }, () => new Promise<never>(() => undefined));
    hung.catch(() => undefined);
    await fenceIsHeld(tenant.database);
    const client = await asTenant(tenant);
    await client.query('begin');
    await context(client, tenant);
    await client.query('insert into journal (token) values (gen_random_uuid())');
    await client.query('commit');
    await client.end();
  });
}, 30_000);

test('a process whose lease is over is taken over; while it gives signs of life it is not', async () => {
  await fleet.tenant('lease', 'pool', 20);
  await withReach(
    fleet,
    'move.prepared',
    () => {
      throw new Error('far enough');
    },
    (process) => fleet.promote({ id: 'lease', to: 'schema', method: 'online' }, process),
  );
  const move = await moveOf('lease');
  await withClient(fleet.settings.catalogUrl, async (hung) => {
    await hung.query(`select pg_advisory_lock(1952804452, hashtext('lease'))`);
    await expect(goOn(fleet.fleet, move)).rejects.toMatchObject({ code: 'MOVE_DRIVEN', exit: 5 });
    await query(
      fleet.settings.catalogUrl,
      `update tenantctl_catalog.moves set lease_until = now() - interval '1 second' where id = $1`,
      [move.move],
    );
    expect((await goOn(fleet.another(), move)).state).toBe('grace');
  });
});

async function asTenant({ database }: Tenant): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: fleet.application.url(database) });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

async function context(client: pg.Client, { schema, key }: Tenant): Promise<void> {
  await client.query(`set local role ${fleet.settings.tenancy.appRole}`);
  await client.query(`set local search_path = "${schema}"`);
  await client.query(`select set_config('app.tenant_id', $1, true)`, [key]);
}

/** Waits until somebody holds the lock of the fence alone. */
async function fenceIsHeld(database: string): Promise<void> {
  for (;;) {
    const rows = await query(
      superuser(database),
      `select from pg_locks where locktype = 'advisory' and classid = 1952804456 and mode = 'ExclusiveLock' and granted`,
    );
    if (rows.length > 0) return;
  }
}
