import { expect, test } from 'vitest';
import { provisionTenant } from '../../../src/operations/provision.js';
import { query, useServer, withClient } from '../../support/server.js';
import { directoryOf, failureOf, numbered } from '../../engine/ledger/directory.js';
import { ZOO } from '../moves/zoo.js';
import { restoringFleet } from './fleet.js';

const server = useServer();

test('a tenant is restored beside its living original while others write: nobody loses a row, nobody waits for long', async () => {
  const given = await restoringFleet(server.current);
  const original = await given.tenant('acme', 'pool', 200);
  await given.tenant('still', 'pool', 50);
  await given.tenant('busy', 'pool', 200);
  const { directory } = await given.exported('acme');
  const busy = await given.show('busy');
  const before = await given.othersIn(original, [busy.key]);
  const writer = given.writer('busy');
  await writer.commits(20);
  const { tenant } = await given.restore({ directory, id: 'acme-back', tier: 'pool' });
  await writer.commits(20);
  const { lost, extra, surprises, longestGapMs } = await given.settle('busy', writer);
  expect({ lost, extra, surprises }).toEqual({ lost: [], extra: [], surprises: new Set() });
  expect(longestGapMs).toBeLessThan(5_000);
  expect(await given.othersIn(original, [busy.key, tenant.key])).toBe(before);
  expect(await given.rows(tenant)).toEqual(await given.rows(original));
});

test('triggers of the pool do not fire for restored rows, and go on firing for everybody', async () => {
  const given = await restoringFleet(server.current, {
    migrations: directoryOf(
      numbered(
        ...ZOO,
        `create table trail (tenant_id uuid not null, id bigint generated always as identity, what text, primary key (tenant_id, id));
         create function leave_trail() returns trigger language plpgsql as
           $$ begin insert into trail (tenant_id, what) values (new.tenant_id, new.id::text); return new; end $$;
         create trigger trail after insert on customer for each row execute function leave_trail();`,
      ),
    ),
  });
  const { database, schema } = await given.tenant('acme', 'pool', 20);
  const trails = async (key: string) =>
    (
      await query<{ n: number }>(
        server.current.superuserUrl(database),
        `select count(*)::int as n from "${schema}".trail where tenant_id = $1`,
        [key],
      )
    )[0]?.n;
  const { directory } = await given.exported('acme');
  const { tenant } = await given.restore({ directory, id: 'acme-back', tier: 'pool' });
  expect(await trails(tenant.key)).toBe(20);
  const later = await given.tenant('later', 'pool', 7);
  expect(await trails(later.key)).toBe(7);
  const left = await query(server.current.superuserUrl(database), 'select * from tenantctl.set_aside');
  expect(left).toEqual([]);
});

test('sequences of a pool are raised beyond what came and never set back', async () => {
  const given = await restoringFleet(server.current);
  await given.tenant('acme', 'schema', 30);
  const { directory, manifest } = await given.exported('acme');
  const drawn = manifest.sequences.find(({ name }) => name === 'orders_id_seq')?.value;
  const { tenant } = await given.restore({ directory, id: 'into-pool', tier: 'pool' });
  const url = server.current.superuserUrl(tenant.database);
  const last = async () =>
    Number(
      (
        await query<{ v: string }>(url, `select last_value::text as v from "${tenant.schema}".orders_id_seq`)
      )[0]?.v,
    );
  const raised = await last();
  expect(raised).toBeGreaterThan(Number(drawn));
  await query(url, `select setval('"${tenant.schema}".orders_id_seq', 5000000)`);
  await given.restore({ directory, id: 'again', tier: 'pool' });
  expect(await last()).toBe(5_000_000);
});

test('a value that another tenant of the pool has is refused with its key, before anything is made', async () => {
  const given = await restoringFleet(server.current, {
    migrations: directoryOf(
      numbered(
        ...ZOO,
        `create table host (tenant_id uuid not null, id bigint not null, name text not null unique, primary key (tenant_id, id));`,
      ),
    ),
  });
  const { database, schema, key } = await given.tenant('acme', 'pool', 5);
  const url = server.current.superuserUrl(database);
  await query(url, `insert into "${schema}".host values ($1, 1, 'acme.example.com')`, [key]);
  const { directory } = await given.exported('acme');
  const failure = await failureOf(given.restore({ directory, id: 'acme-back', tier: 'pool' }));
  expect(failure).toMatchObject({
    code: 'RESTORE_VALUE_TAKEN',
    exit: 6,
    facts: { table: 'host', constraint: 'host_name_key' },
  });
  await failureOf(given.show('acme-back'));
  // In a home of its own there is room for it.
  const { tenant } = await given.restore({ directory, id: 'acme-back', tier: 'schema' });
  expect(tenant.status).toBe('active');
});

test('a key that no look can judge beforehand is refused by the server: no row stays, and the same command goes on when there is room', async () => {
  const given = await restoringFleet(server.current, {
    migrations: directoryOf(
      numbered(
        ...ZOO,
        `create table host (tenant_id uuid not null, id bigint not null, name text, lower_name text generated always as (lower(name)) stored unique,
           primary key (tenant_id, id));`,
      ),
    ),
  });
  const { database, schema, key } = await given.tenant('acme', 'pool', 5);
  const url = server.current.superuserUrl(database);
  await query(url, `insert into "${schema}".host values ($1, 1, 'Acme')`, [key]);
  const { directory } = await given.exported('acme');
  // The key is over a computed column, which no look beforehand can find.
  const failure = await failureOf(given.restore({ directory, id: 'acme-back', tier: 'pool' }));
  expect(failure).toMatchObject({
    code: 'RESTORE_VALUE_TAKEN',
    facts: { constraint: 'host_lower_name_key' },
  });
  const half = await given.show('acme-back');
  expect(half.status).toBe('provisioning');
  expect(Object.values(await given.rows(half))).toEqual([0, 0, 0, 0, 0]);
  // The same command finishes it once there is room.
  await query(url, `delete from "${schema}".host where tenant_id = $1`, [key]);
  const { tenant } = await given.restore({ directory, id: 'acme-back', tier: 'pool' });
  expect(await given.rows(tenant)).toMatchObject({ customer: 5 });
});

test('reference rows that a pool lacks are listed and not added; those that differ are told and stay', async () => {
  const given = await restoringFleet(server.current);
  const { tenant: home } = await provisionTenant(given.fleet, { id: 'own', tier: 'schema', cluster: 'main' });
  const url = server.current.superuserUrl(home.database);
  await query(url, `insert into "${home.schema}".region values ('mars', 'Mars')`);
  await query(url, `update "${home.schema}".region set name = 'Old Europe' where code = 'eu'`);
  const { directory } = await given.exported('own');
  const failure = await failureOf(given.restore({ directory, id: 'into-pool', tier: 'pool' }));
  expect(failure).toMatchObject({ code: 'REFERENCES_MISSING', exit: 6 });
  expect(failure.message).toContain('(mars)');
  await failureOf(given.show('into-pool'));
  const { tenant } = await given.restore({ directory, id: 'into-schema', tier: 'schema' });
  const rows = await withClient(
    url,
    async (client) => (await client.query(`select * from "${tenant.schema}".region order by code`)).rows,
  );
  expect(rows).toEqual([
    { code: 'eu', name: 'Europe' },
    { code: 'mars', name: 'Mars' },
    { code: 'us', name: 'America' },
  ]);
  expect(given.events).toContainEqual(expect.objectContaining({ type: 'notice', code: 'REFERENCES_DIFFER' }));
});
